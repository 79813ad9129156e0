"""A lab's document: what is pressed in any of its pages ends in one state, which the run and every reader have."""

import threading
from dataclasses import dataclass, field

import pytest
from engines import endless, small, wait_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import OWNER, STRANGER, served

from skipviz.engine import EngineError
from skipviz.network import families
from skipviz.tasks.event import applied, message_from
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.document import lab as lab_module
from skipviz.web.document import labs as labs_module
from skipviz.web.document.commands import REFUSED, handle
from skipviz.web.document.document import Document, document_of
from skipviz.web.document.labs import Labs
from skipviz.web.document.labs import labs as process_labs
from skipviz.web.session_state.classroom import Classrooms

ME, OTHER = "a-browser", "another-browser"
EXPERIMENT = Experiment(
    variants={"net": families.mlp(depth=6, width=4, skip_every=2)},
    task=Task(name="spiral", samples=100),
    training=Training(steps=5, batch_size=8),
)


@dataclass
class Kept:
    """A run as the engine keeps it."""

    id: str
    owner: str
    experiment: Experiment
    state: str = "running"
    step: int = 3
    edits: int = 0
    restart: bool = False
    led: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state not in ("queued", "running", "paused")


@dataclass
class Runs:
    """The engine's part that labs know: runs take events at once."""

    runs: dict[str, Kept] = field(default_factory=dict)
    extended: int = 0

    def run(self, identifier):
        return self.runs.get(identifier)

    kept = run

    def trains(self, experiment) -> bool:
        return True

    def subscribe(self, listener):
        return lambda: None

    def submit(self, experiment, owner, **_) -> str:
        run = Kept(f"run{len(self.runs)}", owner, experiment)
        self.runs[run.id] = run
        return run.id

    def post(self, identifier, owner, message) -> None:
        run = self.runs[identifier]
        if run.owner != owner or run.ended:
            raise EngineError("not now", 409)
        message = message if not isinstance(message, dict) else message_from(message)
        if message.kind == "stop":
            run.state = "stopped"
        else:
            run.experiment = applied(run.experiment, message)
            run.edits += 1

    def lead(self, identifier, owner, events, *_) -> None:
        for event in events:
            self.post(identifier, owner, event)

    def label(self, identifier, owner, labels) -> None:
        run = self.runs[identifier]
        if labels != run.experiment.labels:
            run.experiment, run.edits = run.experiment.labelled(labels), run.edits + 1

    def extend(self, identifier, owner, events, address) -> dict:
        run = self.runs[identifier]
        run.state, self.extended = "running", self.extended + 1
        for event in events:
            self.post(identifier, owner, event)
        return {"step": 5, "steps": 10}


@pytest.fixture
def runs(monkeypatch):
    """An engine's runs that take what labs send at once."""
    runs = Runs()
    for module in (lab_module, labs_module):
        monkeypatch.setattr(module, "get_engine", lambda: runs)
    return runs


def pressed(lab, **command):
    return handle(lab, command, None)


def skips_on(experiment) -> dict[str, bool]:
    return {skip.id: skip.on for skip in experiment.network.skips}


class Reader:
    """A page: it draws what the lab held when it was last drawn, and hears of news while its stream is open."""

    def __init__(self, lab):
        self.lab, self.listening = lab, True
        self.draw()

    def draw(self):
        self.lab.follow()
        self.drawn = self.lab.document

    def hear(self):
        if self.listening and self.lab.document.version != self.drawn.version:
            self.draw()


class Watcher:
    """A page of somebody else at the newest run: it reads that run's document, again where the stream names other edits."""

    def __init__(self):
        self.run = self.drawn = None

    def hear(self, run):
        if run is not None:
            self.run = run
        if self.run is not None and (self.drawn is None or (self.run.id, self.run.edits) != (self.drawn.run, self.drawn.edits)):
            self.drawn = document_of(self.run)


class Follower:
    """A page of a lesson: it draws what its classroom shows, again at each of its news and each edit of the run shown."""

    def __init__(self, rooms, runs):
        self.rooms, self.runs, self.known, self.drawn = rooms, runs, None, None

    def hear(self):
        room = self.rooms.get("lesson")
        run = self.runs.run(room.run)
        known = (room.version, run.edits if run else 0)
        if known != self.known:
            self.known, self.drawn = known, document_of(run) if run else Document(room.experiment)


IDS = [skip.id for skip in EXPERIMENT.network.skips]
SWITCHES = st.builds(
    lambda ids, on: {"op": "skips", "ids": ids, "changes": {"on": on}},
    st.lists(st.sampled_from(IDS), min_size=1, unique=True),
    st.booleans(),
)
SLIDERS = st.builds(
    lambda one, strength, passing: {"op": "skips", "ids": [one], "changes": {"strength": strength}, "passing": passing},
    st.sampled_from(IDS),
    st.sampled_from([-1.0, 0.0, 0.5]),
    st.booleans(),
)
VALVES = st.builds(
    lambda one, gain: {"op": "layers", "ids": [one], "changes": {"gain": gain}},
    st.sampled_from(["f1", "f4"]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
OTHERS = st.sampled_from(
    [
        {"op": "undo"},
        {"op": "redo"},
        {"op": "start"},
        {"op": "reset"},
        {"op": "rate", "learning_rate": 0.1},
        {"op": "insert_layer", "position": 1},
        {"op": "skips", "ids": ["nosuch"], "changes": {"on": False}},
        {"op": "compare", "how": "copy"},
        {"op": "compare", "how": "off"},
        {"op": "skips", "ids": IDS[:1], "changes": {"on": False}, "variant": "net-copy"},
        {"op": "move_variant", "variant": "net-copy", "place": 0},
        {"op": "rename_variant", "variant": "without-skips", "name": "net-copy"},
        {"op": "rename_variant", "variant": "net", "name": "Mine"},
        {"op": "remove_variant", "variant": "net"},
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("press"), st.integers(0, 1), st.one_of(SWITCHES, SLIDERS, VALVES, OTHERS)),
    st.tuples(st.sampled_from(["hear", "leave", "come back", "load anew", "watch", "follow"]), st.integers(0, 1), st.none()),
    st.tuples(st.sampled_from(["elsewhere", "finish"]), st.just(0), st.sampled_from(IDS)),
)


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=12))
def test_any_interleaving_of_two_pages_watchers_a_runs_events_and_reconnections_ends_equal_everywhere(steps):
    runs, labs = Runs(), Labs()
    rooms = Classrooms()
    labs.subscribe(rooms.changed)
    with pytest.MonkeyPatch.context() as patch:
        for module in (lab_module, labs_module):
            patch.setattr(module, "get_engine", lambda: runs)
        lab = labs.opened(EXPERIMENT, ME)
        readers, watcher, follower = [Reader(lab), Reader(lab)], Watcher(), Follower(rooms, runs)
        rooms.lead("lesson", lab)
        dragged = False
        for act, who, what in steps:
            reader, run = readers[who], runs.run(lab.document.run)
            if act == "press":
                dragged = bool(what.get("passing"))
                try:
                    handle(lab, what, None)
                except REFUSED:
                    assert what.get("ids") == ["nosuch"] or "variant" in what or what["op"] == "compare"
            elif act == "hear":
                reader.hear()
            elif act == "watch":
                watcher.hear(run)
            elif act == "follow":
                follower.hear()
            elif act == "leave":
                reader.listening = False
            elif act == "come back":
                reader.listening = True
                reader.hear()
            elif act == "load anew":
                labs.keep(lab, "here")
                found = labs.of_run(ME, lab.document.run) if lab.document.run else lab
                assert found is lab
                readers[who] = Reader(lab)
            elif run is not None and not run.ended and act == "elsewhere":
                if any(skip.id == what for skip in run.experiment.network.skips):
                    runs.post(run.id, ME, {"kind": "skip", "ids": [what], "on": False})
            elif run is not None and act == "finish" and not run.ended:
                run.state = "finished"
        for reader in readers:
            reader.listening = True
            reader.hear()
            reader.draw()
        assert readers[0].drawn == readers[1].drawn == lab.document
        run = runs.run(lab.document.run)
        watcher.hear(run)
        follower.hear()
        assert (watcher.run is None) is (watcher.drawn is None)
        if watcher.run is not None:
            assert watcher.drawn.experiment == watcher.run.experiment
        assert follower.drawn.run == (run and run.id)
        assert follower.drawn.experiment == (run or lab.document).experiment
        if run is not None and not run.ended and not dragged:
            assert run.experiment == lab.document.experiment == watcher.drawn.experiment == follower.drawn.experiment
        assert sum(not run.ended for run in runs.runs.values()) <= 1


def test_two_threads_that_press_at_once_leave_the_run_as_the_document_says(runs):
    lab = Labs().opened(EXPERIMENT, ME)
    pressed(lab, op="start")

    def press(ids, strength):
        for turn in range(40):
            pressed(lab, op="skips", ids=ids, changes={"on": bool(turn % 2), "strength": strength + turn / 40})

    several = enumerate((IDS[:1], IDS, IDS[1:]))
    threads = [threading.Thread(target=press, args=(ids, strength)) for strength, ids in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs.run(lab.document.run).experiment == lab.document.experiment
    assert len(lab.document.undo) == 120


def test_a_slider_that_is_let_go_is_one_step_of_undo_and_the_run_has_what_it_was_let_go_at(runs):
    lab = Labs().opened(EXPERIMENT, ME)
    pressed(lab, op="start")
    run = runs.run(lab.document.run)
    for strength in (0.9, 0.7, 0.5):
        pressed(lab, op="skips", ids=IDS[:1], changes={"strength": strength}, passing=True)
        assert run.experiment.network.skips[0].strength == strength
    assert lab.document.undo == ()
    pressed(lab, op="skips", ids=IDS[:1], changes={"strength": 1.0})
    assert run.experiment == lab.document.experiment == EXPERIMENT
    pressed(lab, op="skips", ids=IDS[:1], changes={"strength": 0.5}, passing=True)
    pressed(lab, op="skips", ids=IDS[:1], changes={"strength": 0.25})
    assert len(lab.document.undo) == 1
    pressed(lab, op="undo")
    assert run.experiment == EXPERIMENT


def test_what_is_done_to_the_run_elsewhere_the_lab_takes_and_does_not_undo(runs):
    labs = Labs()
    lab = labs.opened(EXPERIMENT, ME)
    pressed(lab, op="start")
    seen = []
    labs.subscribe(seen.append)
    runs.post(lab.document.run, ME, {"kind": "skip", "ids": IDS[:1], "on": False})
    labs.run_changed(lab.document.run)
    wait_for(runs, lambda: not skips_on(lab.document.experiment)[IDS[0]])
    assert seen == [lab.id]
    assert lab.document.undo == ()
    pressed(lab, op="skips", ids=IDS[1:], changes={"on": False})
    pressed(lab, op="undo")
    assert skips_on(runs.run(lab.document.run).experiment) == {IDS[0]: False, IDS[1]: True}


def test_another_name_of_a_network_ends_no_run_and_every_lab_of_it_has_it(runs):
    labs = Labs()
    lab = labs.opened(EXPERIMENT, ME)
    pressed(lab, op="compare", how="copy")
    pressed(lab, op="start")
    run, other = runs.run(lab.document.run), labs.opened(lab.document.experiment, ME, lab.document.run)
    pressed(lab, op="rename_variant", variant="net-copy", name="Half as wide")
    assert (lab.document.run, run.state, run.experiment.labels) == (run.id, "running", {"net-copy": "Half as wide"})
    other.follow()
    assert other.document.experiment == document_of(run).experiment == lab.document.experiment
    pressed(lab, op="undo")
    assert (lab.document.run, run.experiment.labels) == (run.id, {})


def test_an_edit_that_is_to_end_the_run_ends_it_where_it_changes_nothing_too(runs):
    lab = Labs().opened(EXPERIMENT, ME)
    pressed(lab, op="start")
    run = runs.run(lab.document.run)
    lab.change(lambda document: document.put(EXPERIMENT), ends=True)
    assert (lab.document.run, run.state) == (None, "stopped")


def test_a_lab_that_watches_takes_no_command(runs):
    labs = Labs()
    run = runs.submit(EXPERIMENT, OTHER)
    with pytest.raises(EngineError, match="you are watching"):
        pressed(labs.opened(EXPERIMENT, ME, run), op="undo")
    follower = labs.opened(EXPERIMENT, ME)
    follower.follows = "a classroom"
    with pytest.raises(EngineError, match="you are watching"):
        pressed(follower, op="start")


def test_a_lab_is_found_by_its_run_and_its_address_by_its_own_browser_for_a_while(runs):
    now = [0.0]
    labs = Labs(lambda: now[0])
    lab = labs.opened(EXPERIMENT, ME)
    pressed(lab, op="insert_layer", position=1)
    pressed(lab, op="start")
    labs.keep(lab, "here")
    run = lab.document.run
    assert labs.of_run(ME, run) is lab
    assert labs.of_run(OTHER, run) is labs.document_at(OTHER, "here") is labs.document_at(ME, "there") is None
    assert labs.document_at(ME, "here") is lab.document
    labs.keep(labs.opened(EXPERIMENT, ME), "here")
    assert labs.document_at(ME, "here") is lab.document, "a lab in which nothing was done takes none from another there"
    now[0] = labs_module.SECONDS + 1
    assert labs.of_run(ME, run) is labs.document_at(ME, "here") is None


def test_only_so_many_labs_are_kept_and_one_that_no_page_has_is_forgotten(runs, monkeypatch):
    monkeypatch.setattr(labs_module, "MOST", 2)
    labs = Labs()
    kept = []
    for place in "abc":
        lab = labs.opened(EXPERIMENT, ME)
        pressed(lab, op="insert_layer", position=1)
        labs.keep(lab, place)
        kept.append(lab.id)
    del lab
    assert [labs.document_at(ME, place) is not None for place in "abc"] == [False, True, True]
    assert [labs.get(name) is not None for name in kept] == [False, True, True]


@pytest.fixture(scope="module")
def client(engine):
    """A browser that speaks to the routes of this engine."""
    with served() as browser:
        yield browser


def test_a_command_of_its_own_browser_is_done_and_answered_with_the_documents_version(client, engine):
    lab = process_labs.opened(endless(), OWNER)
    status, answer = client.request("POST", f"/skipviz/labs/{lab.id}", {"op": "start", "paused": True})
    assert (status, answer["run"], answer["version"]) == (200, lab.document.run, lab.document.version)
    ids = [lab.document.experiment.network.skips[0].id]
    status, answer = client.request("POST", f"/skipviz/labs/{lab.id}", {"op": "skips", "ids": ids, "changes": {"on": False}})
    assert (status, answer["said"], answer["select"]) == (200, None, None)
    assert engine.run(lab.document.run).experiment == lab.document.experiment
    wait_for(engine, lambda: engine.run(lab.document.run).events)
    assert client.request("POST", f"/skipviz/labs/{lab.id}", {"op": "reset"})[1]["run"] is None


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"op": "skips", "ids": ["nosuch"], "changes": {"on": False}}, 422, "There is no"),
        ({"op": "skips", "ids": "s1", "changes": 3}, 422, "The page sent what is no command."),
        ({"op": "nosuch"}, 422, "The page sent what is no command."),
        ({"op": "start", "speed": "fast"}, 422, ""),
        ([], 422, "The page sent what is no command."),
        ("nonsense", 422, "The page sent what is no command."),
    ],
)
def test_what_is_no_command_is_refused_with_a_sentence_and_changes_nothing(client, body, status, reason):
    lab = process_labs.opened(small(), OWNER)
    before = lab.document
    answered, answer = client.request("POST", f"/skipviz/labs/{lab.id}", body)
    assert answered == status
    assert answer["error"].startswith(reason)
    assert lab.document is before


def test_another_browser_changes_nothing_and_a_lab_that_is_gone_says_so(client):
    lab = process_labs.opened(small(), OWNER)
    refused = client.request("POST", f"/skipviz/labs/{lab.id}", {"op": "undo"}, cookie=STRANGER)
    assert refused == (403, {"error": "only the browser that opened this lab may change it"})
    gone = client.request("POST", "/skipviz/labs/nosuch", {"op": "undo"})
    assert gone == (404, {"error": "this lab is no longer here: load its page again"})


def test_a_stream_tells_of_a_document_that_is_another_than_the_page_has(client):
    lab = process_labs.opened(small(), OWNER)
    known = lab.document.version
    messages = client.listen(f"notices=1&labs={lab.id}:{known}")
    assert next(messages)[1] == {"listening": True}
    handle(lab, {"op": "insert_layer", "position": 1}, None)
    assert next(messages)[1] == {"lab": lab.id, "version": lab.document.version}
    late = client.listen(f"notices=1&labs={lab.id}:{known}")
    assert [next(late)[1], next(late)[1]][1] == {"lab": lab.id, "version": lab.document.version}
