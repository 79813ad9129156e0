"""Runs that go on for long, begun at an engine or at a machine, and what is left of them after whatever befell them."""

from engines import frames_of, measured, small, undisturbed, wait_for_end


def lasting(**training):
    return small(steps=1_000_000, record_every=1, **training)


def submitted(machine, experiment, **more):
    """Start a run at a machine and return its id."""
    body = {"experiment": experiment.model_dump(mode="json", exclude_defaults=True), **more}
    return machine.ask("POST", "/skipviz/runs", body)[1]["run"]


def is_as_if_alone(engine, run):
    """End a run and see that it has every frame once, and in each the numbers that it has with nothing beside it."""
    engine.post(run.id, run.owner, {"kind": "stop"})
    frames = frames_of(wait_for_end(engine, run))
    assert [frame["step"] for frame in frames] == list(range(len(frames)))
    assert measured(frames) == undisturbed(engine, run)
