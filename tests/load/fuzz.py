"""Coverage-guided fuzzing of what reads what strangers send: `python tests/load/fuzz.py TARGET [-atheris_runs=100000] [folder]`.

Targets are those of `TARGETS`, and `everything`. Atheris (libFuzzer) changes cases and keeps those that reach new code; every case
keeps the bounds
of `hostile.py` (a second, 200 MB, one sentence), and what breaks one is written to a file `crash-…` in the working directory.
A folder keeps what reached new code for the next time.
"""

from __future__ import annotations

import atexit
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import atheris

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

with atheris.instrument_imports(include=["skipviz"]):
    from skipviz.network import families
    from skipviz.network.base import NetworkError
    from skipviz.sharing import link
    from skipviz.tasks import upload
    from skipviz.tasks.event import Control, applied, message_from
    from skipviz.tasks.experiment import Experiment, ExperimentError, experiment_from_json
    from skipviz.tasks.own import UploadError
    from skipviz.web.document.commands import REFUSED, refusal
    from skipviz.web.document.document import Document
    from skipviz.web.document.reducer import reduced

from hostile import bounded, is_one_sentence, tell  # noqa: E402
from hostile_cases import EVENTS, OPENINGS, SMALL, archive, inside, link_of, pictures, table  # noqa: E402

AT = Experiment(variants={"net": families.mlp(depth=8, width=8, skip_every=2)})
COMMANDS = [
    {"op": "skips", "ids": ["s1-3"], "changes": {"on": False, "strength": 0.5, "merge": "concat", "source": 1}},
    {"op": "skips", "ids": ["s1-3"], "changes": {"adapter": "project 3", "gain": 0.0, "target": 3, "learned": True, "rate": 0.1}},
    {"op": "layers", "ids": ["f2"], "changes": {"gain": 0, "width": 8, "activation": "relu", "norm": "batch", "init": "he"}},
    {"op": "add_skip", "source": 0, "target": 3},
    {"op": "insert_layer", "position": 2},
    {"op": "remove_skips", "ids": ["s1-3"]},
    {"op": "remove_layers", "ids": ["f2"]},
    {"op": "compare", "how": "plain"},
    {"op": "compare", "how": "preset", "name": "unet"},
    {"op": "remove_variant", "variant": "B"},
    {"op": "rename_variant", "name": "deep"},
    {"op": "move_variant", "place": 1},
    {"op": "rate", "learning_rate": 0.1},
    {"op": "undo"},
    {"op": "redo"},
]


def links(data: bytes) -> None:
    """A link as it is, or, after a first byte that is odd, the JSON within one that is sealed as links are."""
    text = link_of(data[1:]) if data[:1] and data[0] % 2 else data[1:].decode("latin-1")
    with bounded("links") as tried:
        try:
            assert isinstance(link.decode(text), Experiment)
            tried.taken += 1
        except link.LinkError as error:
            assert is_one_sentence(error)  # noqa: PT017


def documents(data: bytes) -> None:
    """An experiment as JSON."""
    with bounded("documents") as tried:
        try:
            assert isinstance(experiment_from_json(data.decode("utf-8", "replace")), Experiment)
            tried.taken += 1
        except ExperimentError as error:
            assert is_one_sentence(error)  # noqa: PT017


def commands(data: bytes) -> None:
    """Commands of a page one after another, as JSON in lines, on one document."""
    document = Document(AT)
    for text in data.split(b"\n")[:8]:
        with bounded("commands") as tried:
            try:
                document = reduced(document, json.loads(text))
                document.experiment.model_dump_json()
                tried.taken += 1
            except (*REFUSED, RecursionError) as error:
                assert is_one_sentence(refusal(error))  # noqa: PT017


def events(data: bytes) -> None:
    """An event or control of a live run, as JSON."""
    with bounded("events") as tried:
        try:
            message = message_from(json.loads(data))
            if not isinstance(message, Control):
                applied(AT, message)
            tried.taken += 1
        except (NetworkError, ExperimentError) as error:
            assert is_one_sentence(error)  # noqa: PT017
        except (ValueError, RecursionError):  # no JSON
            return


def files(data: bytes) -> None:
    """A file of somebody's own, under a name that its first byte chooses."""
    names = ("a.csv", "a.npz", "a.tsv", "a.npy", "a.csv.gz", "a.zip", "a.png", "a")
    with bounded("files") as tried:
        try:
            read = upload.read(data[1:], names[data[0] % len(names)] if data else "a.csv")
            upload.described(read)
            tried.taken += 1
        except UploadError as error:
            assert is_one_sentence(error)  # noqa: PT017


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "links": (
        links,
        lambda: (one for text in OPENINGS for one in (b"\0" + text.encode(), b"\1" + json.dumps(inside(text)).encode())),
    ),
    "documents": (documents, lambda: (json.dumps(one).encode() for one in SMALL)),
    "commands": (commands, lambda: (json.dumps(one).encode() for one in COMMANDS)),
    "events": (events, lambda: (json.dumps(one).encode() for one in EVENTS)),
    "files": (files, lambda: iter([b"\0" + table(), b"\1" + pictures(), b"\3" + archive(images=[1.0])])),
}
"""By name: what reads one case, and whole ones to begin with."""


def everything(data: bytes) -> None:
    """A case of any target, which its first byte chooses."""
    targets = [read for read, _ in TARGETS.values()]
    targets[data[0] % len(targets) if data else 0](data[1:])


def seeds_of_everything() -> Iterator[bytes]:
    """Yield whole cases of every target."""
    for number, (_, seeds) in enumerate(TARGETS.values()):
        yield from (bytes([number]) + seed for seed in seeds())


def within(value) -> Iterator[tuple[dict | list, str | int]]:
    """Yield where each part of a decoded JSON value stands: its holder, and its key there."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in places:
        yield value, key
        yield from within(inner)


PARTS = [holder[key] for one in [*SMALL, *COMMANDS, *EVENTS] for holder, key in within(one)] + [None, -1, 1e308, 2**63, "", [], {}]
"""What is put in the place of other parts."""


def words() -> list[str]:
    """Return what names things in valid input, so that changes of it meet the code behind them."""
    names = {key for one in [*SMALL, *COMMANDS, *EVENTS] for _, key in within(one) if isinstance(key, str)}
    return sorted(names | {part for part in PARTS if isinstance(part, str) and part.isascii() and 0 < len(part) < 40})


def changed(data: bytes, most: int, seed: int) -> bytes:
    """Return a case made of another: JSON in one of its lines with a part changed, or else its bytes as libFuzzer changes them."""
    chance, lines = Random(seed), data.split(b"\n")
    place = chance.randrange(len(lines))
    head = lines[place].partition(b"{")[0]
    if chance.random() < 0.6:
        with suppress(ValueError, RecursionError):
            value = json.loads(lines[place].removeprefix(head))
            places = [*within(value)]
            for holder, key in chance.sample(places, min(len(places), chance.randint(1, 3))):
                with suppress(LookupError, TypeError):
                    _put(chance, holder, key)
            lines[place] = head + json.dumps(value).encode()
            if chance.random() < 0.3:
                lines.insert(place, json.dumps(chance.choice(COMMANDS)).encode())
            return b"\n".join(lines)[:most]
    return atheris.Mutate(data, most)


def _put(chance: Random, holder: dict | list, key: str | int) -> None:
    """Change what stands at one place: another part, none, two, or a number near it."""
    what = chance.randrange(4)
    if what == 0:
        holder[key] = chance.choice(PARTS)
    elif what == 1:
        del holder[key]
    elif what == 2 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif isinstance(holder[key], int | float):
        holder[key] = chance.choice([-holder[key], holder[key] + 1, holder[key] * 1000, holder[key] / 3])


def main() -> None:
    """Fuzz the target that is named first; all else is libFuzzer's."""
    target, seeds = {**TARGETS, "everything": (everything, seeds_of_everything)}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        corpus, dictionary = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed)
        dictionary.write_text("".join(json.dumps(json.dumps(word)) + "\n" for word in words()))
        options = [f"-dict={dictionary}", "-max_len=20000", "-rss_limit_mb=2048", "-timeout=20"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[2:], str(corpus)], target, custom_mutator=changed)
        atheris.Fuzz()


if __name__ == "__main__":
    atexit.register(tell)
    main()
