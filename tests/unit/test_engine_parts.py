"""The engine's parts that need no process: wire, limits, devices, the store and a run's messages."""

import json

import pytest
from engines import small

from skipviz.engine.capacity import limits
from skipviz.engine.processes import devices, ending
from skipviz.engine.processes.launcher import Child
from skipviz.engine.processes.wire import Lines, encode_frame
from skipviz.learning.frame import Frame, VariantFrame
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.storage import MemoryStore, Run, summary
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment, Training


def some_frame():
    variant = VariantFrame(
        loss=0.693147181,
        metric=None,
        weight_grad=[1.23456789e-9, None, 0.0],
        state_grad=[3.0, 1e30, 1e-38, 0.1],
        trunk_grad=[],
        skip_grad=[0.25],
        head_grad=2.0,
        skip_weight_grad=[],
        scale_grad=[],
        update_ratio=[0.001],
        state_rms=[1.0],
        nonfinite=["weight_grad f2"],
        picture={"kind": "boundary", "size": [1, 1], "probability": "AA=="},
    )
    return Frame(12, {"a name": variant}, [{"kind": "rate", "learning_rate": 0.1, "step": 12}], 1.5)


def rounded(value, digits):
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    return {name: rounded(item, digits) for name, item in value.items()} if isinstance(value, dict) else value


def test_an_encoded_frame_is_its_data_with_nine_digits_and_a_passing_one_with_six():
    data = some_frame().to_data()
    assert json.loads(encode_frame(some_frame())) == rounded(data, 9)
    assert json.loads(encode_frame(some_frame(), passing=True)) == rounded(data, 6) | {"passing": True}


def test_lines_are_cut_wherever_the_stream_was():
    text = b"frame 1 {}\nat 3\n\nend [1]\n"
    for size in range(1, len(text)):
        lines = Lines()
        assert [line for i in range(0, len(text), size) for line in lines.feed(text[i : i + size])] == text.split(b"\n")[:-1]


def a_run(frames=0, size=100):
    run = Run("id", "me", small())
    for number in range(frames):
        run.add_frame(json.dumps({"step": number, "filler": "x" * size}).encode())
    return run


def steps(message):
    return [frame["step"] for frame in json.loads(message)["frames"]]


def test_updates_from_any_sequence_continue_what_was_known():
    run = a_run()
    seen = {0: []}
    for number in range(12):
        run.add_frame(json.dumps({"step": number}).encode())
        if number % 3 == 0:
            run.mark()
            run.mark()
        seen[run.sequence] = list(range(number + 1))
    for sequence, known in seen.items():
        reached, message = run.update(sequence)
        assert known + steps(message) == list(range(12))
        assert reached == run.sequence


def test_changes_without_number_leave_a_bounded_count_and_every_viewer_up_to_date(monkeypatch):
    monkeypatch.setattr("skipviz.storage.run.MOST_MARKS", 10)
    run, seen = a_run(frames=3), set()
    for _ in range(35):
        before = run.sequence
        run.mark()
        seen.add(before)
        assert run.sequence > before
        assert len(run.count_facts()["marks"]) <= 10
    run.add_frame(b'{"step":3}')
    late = [sequence for sequence in seen if sequence >= run.base]
    assert late
    assert all(steps(run.update(sequence)[1]) == [3] for sequence in late)
    assert steps(run.snapshot()[1]) == [0, 1, 2, 3]
    again = a_run()
    again.restore(run.count_facts(), run.since(0)[1])
    assert (again.sequence, again.snapshot()[0]) == (run.sequence, run.sequence)


def test_a_snapshot_holds_header_events_and_all_frames():
    run = a_run(frames=3)
    run.header_json = b'{"batch_size":16}'
    run.events.append({"kind": "rate", "learning_rate": 0.1, "step": 2})
    data = json.loads(run.snapshot(mine=True)[1])
    assert data["header"] == {"batch_size": 16}
    assert data["events"] == run.events
    assert data["mine"] is True
    assert len(data["frames"]) == 3


class Overtaken(Run):
    """A run whose last frame and end come just after a viewer's message was begun."""

    @property
    def sequence(self):
        found = super().sequence
        if not self.ended:
            self.add_frame(b'{"step":1}')
            self.state = "finished"
            self.mark()
        return found


@pytest.mark.parametrize("told", [Run.snapshot, lambda run: run.update(0)], ids=["snapshot", "update"])
def test_who_hears_of_a_runs_end_has_its_last_frame(told):
    run = Overtaken("id", "me", small(), state="running")
    run.add_frame(b'{"step":0}')
    _, message = told(run)
    assert (json.loads(message)["state"], steps(message)) == ("finished", [0, 1])


def test_a_long_run_is_thinned_to_its_bound_and_keeps_first_last_and_eventful_frames():
    store, run = MemoryStore(10**9, 20_000), a_run()
    store.add(run)
    for number in range(2000):
        store.append(run, json.dumps({"step": number, "filler": "x" * 80}).encode(), keep=number == 777)
    kept = [json.loads(frame)["step"] for frame in run.frames]
    assert run.bytes <= 20_000
    assert kept[0] == 0
    assert kept[-1] == 1999
    assert 777 in kept
    assert run.sequence == 2000
    assert steps(run.update(1990)[1]) == list(range(1990, 2000))


def test_the_ended_runs_longest_unused_make_room():
    store = MemoryStore(4 * (MemoryStore.OVERHEAD + 1000), 10**6)
    runs = []
    for number in range(3):
        run = a_run(frames=1, size=900)
        run.id, run.state = f"run{number}", "finished"
        store.add(run)
        runs.append(run)
    store.get("run0")
    live = a_run(frames=1, size=900)
    live.id, live.state = "live", "running"
    store.add(live)
    store.append(live, b"x" * 5000)
    assert [run.id for run in store.runs()] == ["run0", "run2", "live"]


def test_memory_needed_grows_with_parameters_and_with_batch():
    def needed(width, batch):
        return limits.memory_mb(
            Experiment(variants={"a": families.mlp(depth=50, width=width)}, training=Training(batch_size=batch))
        )

    assert needed(512, 64) > 3 * needed(256, 64)
    assert needed(64, 1000) > 2 * needed(64, 100)


def test_an_exception_becomes_one_sentence():
    assert limits.reason(MemoryError(), 4096) == "the run needed more than the 4.0 GB of memory that a run may take"
    full = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.89 GiB")
    assert limits.reason(full, 4096).startswith("the run needed more memory than its CUDA device has free: ")
    assert limits.reason(ValueError("a\nb"), 1) == "the run's worker stopped: ValueError: a b"


def test_cuda_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(devices, "has_cuda", lambda: False)
    assert devices.resolve(small(device="cuda")) is None
    assert devices.resolve(presets.get("resnet-20-cifar")) == "cpu"
    monkeypatch.setattr(devices, "has_cuda", lambda: True)
    assert devices.resolve(small(device="cuda")) == "cuda"
    assert devices.resolve(presets.get("resnet-20-cifar"), cuda=False) == "cpu"


def test_a_run_goes_on_where_it_was_computed_before(monkeypatch):
    monkeypatch.setattr(devices, "has_cuda", lambda: True)
    assert devices.resolve(presets.get("resnet-20-cifar"), before="cpu") == "cpu"
    assert devices.resolve(small(), before="cuda") == "cuda"
    monkeypatch.setattr(devices, "has_cuda", lambda: False)
    assert devices.resolve(small(), before="cuda") is None


@pytest.mark.parametrize(
    ("experiment", "device"),
    [
        (small(), "cpu"),
        (Experiment(variants={"a": families.mlp(depth=300, width=64)}, training=Training(batch_size=64)), "cpu"),
        (Experiment(variants={"a": families.mlp(depth=24, width=1024)}, training=Training(batch_size=64)), "cuda"),
        (presets.get("transformer-pre-ln"), "cpu"),
        (presets.get("resnet-20-cifar"), "cuda"),
        (presets.get("unet-shapes"), "cuda"),
    ],
    ids=["4 layers", "300 × 64", "24 × 1024", "transformer", "ResNet-20", "U-Net"],
)
def test_cuda_is_taken_by_itself_where_a_step_was_measured_to_be_three_times_as_fast(monkeypatch, experiment, device):
    monkeypatch.setattr(devices, "has_cuda", lambda: True)
    assert devices.resolve(experiment) == device


@pytest.mark.parametrize(
    ("status", "kills", "held_mb", "told"),
    [
        (-9, False, None, "the run's worker was ended by signal 9 (killed)"),
        (-9, False, 812, "the run's worker was ended by signal 9 (killed); it held 812 MB of memory"),
        (-9, True, None, "the system ended the run's worker because memory ran out"),
        (-9, True, 3000, "the system ended the run's worker because memory ran out; it held 2.9 GB of memory"),
        (-11, True, 10, "the run's worker was ended by signal 11 (Segmentation fault)"),
        (3, True, 10, "the run's worker ended on its own (exit status 3)"),
        (None, True, 10, "the run's worker is gone"),
    ],
)
def test_how_a_worker_ended_is_told_in_a_sentence_that_says_what_is_known(status, kills, held_mb, told):
    assert ending.sentence(status, kills, held_mb) == told


def test_the_end_of_a_process_is_told_once():
    told = []
    child = Child(1, lambda *_: None, told.append)
    child.exited(-9)
    child.connection_lost(None)
    child.exited(-9)
    assert told == [-9]


def test_the_system_has_ended_a_process_for_memory_if_its_count_has_just_grown(monkeypatch, tmp_path):
    counts = tmp_path / "memory.events"
    monkeypatch.setattr(ending, "EVENTS", (tmp_path / "none", counts))
    kills = ending.MemoryKills()
    assert not kills.any()
    for now in (0.0, 2.0, 4.0):
        counts.write_text("low 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 9\n")
        kills.look(now)
        assert not kills.any()
    counts.write_text("oom_kill 3\n")
    kills.look(5.0)
    assert kills.any()
    for now in (9.0, 11.0, 14.0, 20.0):
        kills.look(now)
    assert not kills.any(), "that was long ago, and of another process"


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("SKIPVIZ_MAX_RUNNING", "7")
    monkeypatch.setenv("SKIPVIZ_START", "spawn")
    assert Settings().max_running == 7
    assert not Settings().forks()


def test_a_list_of_a_long_run_decodes_few_of_its_frames(monkeypatch):
    def frame(step, more=""):
        return b'{"step":%d,"variants":{"net":{"loss":%d%s}}}' % (step, step, more.encode())

    frames = [frame(0, ',"held_out":0.5'), *map(frame, range(1, 5000))]
    decoded = []
    loads = summary.json.loads
    monkeypatch.setattr(summary.json, "loads", lambda text: decoded.append(text) or loads(text))
    assert summary.latest_of(reversed(frames)) == {"loss": {"net": 4999}, "held_out": {"net": 0.5}, "held_out_step": {"net": 0}}
    assert len(decoded) == 2
