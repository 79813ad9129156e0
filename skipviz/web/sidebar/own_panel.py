"""The sidebar's part for data of one's own: a file is read here, what was understood is said, and the target is chosen.

A file's bytes are let go as soon as they are read; its arrays are kept by the engine's uploads. Names that come from a file are
written as text inside a block of HTML, where no Markdown is read.
"""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ...engine import get_engine
from ...network.base import NetworkError
from ...tasks import examples, read_pictures, table_text, upload
from ...tasks.experiment import Experiment
from ...tasks.own import Own, UploadError, shown_file
from ...tasks.pictures import Pictures
from ...tasks.table import target_kinds
from ...tasks.task import Task
from ..session_state.editor import Editor
from ..session_state.session import SessionState
from .family_panel import take, with_own
from .field import field_of
from .reading import Reading, reading_of

TITLES = {"table": "Your own table…", "pictures": "Your own pictures…"}
ASKED = {
    "table": ("A table: CSV, .csv.gz, Excel (.xlsx), Parquet or .npy", "plants.csv", examples.table_csv, table_text.MOST_BYTES),
    "pictures": (
        "An .npz of arrays or a .zip of image files, with labels or masks",
        "shapes.npz",
        examples.pictures_npz,
        read_pictures.MOST_BYTES,
    ),
}
"""What is asked for, and an example of it: its name and how it is made; the most bytes."""
KNOWN_READINGS = 20
"""Files that a session remembers what was read of, the newest ones."""
WAYS = {"classes": "one of its classes", "numbers": "a number"}


def choose_own(state: SessionState, editor: Editor, name: str) -> None:
    """Go back to the data that was used before, or ask for a file; nothing changes before one is read."""
    own = state.own.get(name)
    state.wants, state.upload_problem = name, None
    if own is not None and get_engine().uploads.has(own.digest):
        _learn(state, editor, own)


def draw_own(state: SessionState, editor: Editor, name: str) -> None:
    """Draw what is known of the data, and the way to bring other data."""
    task = editor.experiment.task
    own = task.own if task.name == name and state.wants is None else None
    if own is not None:
        state.own[name] = own
        reading = _reading(own)
        _say(f"{_capital(own.sentence())}; {own.samples:,} samples, a fifth held out")
        if reading is None:
            _say(f"Its data is not on this server: upload {own.file} here", "sv-own-problem")
        else:
            _understood(state, editor, own, reading)
    _uploader(state, editor, name, "Another file" if own else ASKED[name][0])


def _say(text: str, kind: str = "") -> None:
    st.markdown(f'<div class="sv-own {kind}"{" role=alert" if kind else ""}>{escape(text)}</div>', unsafe_allow_html=True)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _problem(error: Exception, name: str) -> str:
    """Return an error as a sentence; a name at its beginning stays as it is."""
    text = str(error)
    return f"{text if text.startswith(name) else _capital(text)}."


def _uploader(state: SessionState, editor: Editor, name: str, label: str) -> None:
    """Draw the place for a file, which is empty again after each one, and what was wrong with the last."""
    key = _place(name)
    _, example, made, most = ASKED[name]
    st.file_uploader(
        label, key=key, max_upload_size=most // 2**20, on_change=lambda: _take_file(state, editor, name, key),
        help="Only its numbers stay on this server, for some days. A link names the file and its columns, no more.",
    )  # fmt: skip
    if state.upload_problem:
        _say(state.upload_problem, "sv-own-problem")
        offer = st.session_state.get("own_offer")
        if offer is not None and name == "table":
            st.button("Take its rows as pictures", key="own_offered", on_click=lambda: _learn(state, editor, offer))
    st.download_button(f"An example: {example}", made(), file_name=example, key=f"own_example_{name}", type="tertiary")


def _place(name: str) -> str:
    """Return the key of the place that waits for a file now."""
    return f"own_file_{name}_{st.session_state.setdefault('own_turn', 0)}"


def _take_file(state: SessionState, editor: Editor, name: str, key: str) -> None:
    """Read the file that was just sent and learn from it, or say what is wrong with it."""
    file = st.session_state.get(key)
    # Streamlit calls again where another rerun cut the first one short; by then the bytes may have been read and let go.
    if file is None or key != _place(name):
        return
    st.session_state.own_turn += 1
    st.session_state.own_offer = None
    if not isinstance(file, UploadedFile):
        state.upload_problem = "The file did not arrive whole. Send it once more."
        return
    content, title = file.getvalue(), file.name
    _forget(file)
    state.upload_problem = None
    try:
        data = upload.read(content, title, pictures=name == "pictures")
        if name == "table" and isinstance(data, Pictures) and data.source.get("door") == "pixels":
            st.session_state.own_offer = (upload.described(data), get_engine().uploads.keep(data))[0]
            raise UploadError(f"{shown_file(title)} holds the pixels of {len(data.images):,} pictures, a row each")
        if name != ("pictures" if isinstance(data, Pictures) else "table"):
            raise UploadError(
                f"{shown_file(title)} is no {'table' if name == 'table' else 'file of pictures'}: choose the other task for it"
            )
        own = _described(data, editor.experiment.task.own)
        get_engine().uploads.keep(data)
    except UploadError as error:
        state.upload_problem = _problem(error, shown_file(title))
        return
    _remember(own, reading_of(data, own))
    _learn(state, editor, own)


def _described(data, before: Own | None) -> Own:
    """Return the description of the data, its target as before where it can be: the same file then gives the same experiment."""
    if before is not None:
        try:
            own = upload.described(data, before.target, before.kind, **before.choices())
            return before if own.digest == before.digest else own
        except UploadError:
            pass
    return upload.described(data)


def _learn(state: SessionState, editor: Editor, own: Own) -> None:
    """Put the editor's experiment on the data; its input and head follow."""
    name = "pictures" if own.is_pictures else "table"

    def made() -> Experiment:
        experiment = with_own(editor, Task(name=name, seed=editor.experiment.task.seed, own=own))
        state.wants, state.upload_problem = None, None
        state.own[name] = own
        return experiment

    take(state, editor, made)


def _understood(state: SessionState, editor: Editor, own: Own, reading: Reading) -> None:
    """Draw the choice of the target, and what was read."""

    def retell(target: str, kind: str | None = None, **choices) -> None:
        try:
            _learn(state, editor, upload.described(get_engine().uploads.load(own), target, kind, **{**own.choices(), **choices}))
        except (UploadError, NetworkError) as error:
            state.upload_problem = _problem(error, own.target)

    st.selectbox(
        "Target", list(reading.targets), **field_of("own_target", own.target, retell, reading.targets),
        help="What the network learns to predict; its inputs are all else that was read.",
    )  # fmt: skip
    ways = reading.targets.get(own.target, ())
    if len(ways) > 1:
        st.selectbox(
            "Predicted as", ways, format_func=WAYS.get,
            **field_of("own_way", own.kind, lambda way: retell(own.target, way), ways),
        )  # fmt: skip
    _ways_to_read(own, reading, lambda **choices: retell(own.target, _kind_then(own, **choices), **choices))
    for sentence in (reading.found(), reading.left_out(), reading.missing(own.target)):
        if sentence:
            _say(sentence)
    with st.expander(f"Read: {reading.summary}"):
        if reading.columns:
            st.markdown(reading.columns_html(), unsafe_allow_html=True)
            st.markdown(reading.preview_html(), unsafe_allow_html=True)
        else:
            _say("The first held-out ones are shown beside the network.")


def _ways_to_read(own: Own, reading: Reading, put) -> None:
    """Draw the choices of how the file is read, where it can be read in two ways, and of ids that are taken in."""
    for name, choice in reading.choices.items():
        chosen = field_of(f"own_{name}", choice.taken, lambda way, name=name: put(**{name: way}), choice.ways)
        st.selectbox(f"{choice.written} is read as", list(choice.ways), format_func=choice.ways.get, **chosen)
    if reading.ids:
        field = field_of("own_taken", list(own.taken), lambda names: put(taken=tuple(names)))
        st.multiselect(
            "Ids taken in", reading.ids, placeholder=f"None of {len(reading.ids)}", default=field.pop("value", None), **field,
            help="Columns that only number or name the rows are left out of the inputs; choose one to take it in.",
        )  # fmt: skip


def _kind_then(own: Own, **choices) -> str | None:
    """Return as what the target is predicted once the file is read otherwise: as before where that goes."""
    table = get_engine().uploads.load(own).read_as(**{**own.choices(), **choices})
    kinds = next((target_kinds(column) for column in table.columns if column.name == own.target), ())
    return own.kind if own.kind in kinds else None


def _reading(own: Own) -> Reading | None:
    """Return what is known of the data, read again where this session has not seen it; None where it is not here."""
    uploads = get_engine().uploads
    if not uploads.has(own.digest):
        return None
    if _key(own) not in _readings():
        try:
            _remember(own, reading_of(uploads.load(own), own))
        except UploadError:
            return None
    return _readings()[_key(own)]


def _key(own: Own) -> str:
    """Return what a reading depends on."""
    return f"{own.digest} {own.target} {own.choices()}"


def _remember(own: Own, reading: Reading) -> None:
    readings = _readings()
    readings[_key(own)] = reading
    while len(readings) > KNOWN_READINGS:
        del readings[next(iter(readings))]


def _readings() -> dict[str, Reading]:
    return st.session_state.setdefault("own_readings", {})


def _forget(file) -> None:
    """Let go of a file's bytes, which Streamlit would keep as long as the page is open."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)
