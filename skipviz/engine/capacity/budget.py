"""What one run may take of this server: what is refused before it starts, and the sentences of its ends. Imports no torch."""

from __future__ import annotations

from ...settings import Settings
from ...tasks.experiment import Experiment

FRESH_MB = 500
"""MB that a fresh process, which imports torch for itself, takes beside what `limits.memory_mb` says of a forked one."""

MOST_WAITING = 1000
"""Events of one run that may wait to act: each that acts is looked for among them."""
MOST_EVENT_BYTES = 2_000_000
"""What a run keeps of its events, as JSON: every viewer is sent them, and they are written down with each change."""


def refusal(experiment: Experiment, settings: Settings) -> str | None:
    """Return one sentence that says which limit `experiment` is over before it has started, or None."""
    steps = experiment.training.steps
    if steps > settings.run_steps:
        return f"this experiment asks for {steps:,} steps and a run may take {settings.run_steps:,} on this server: ask for fewer"
    parameters = sum(network.parameter_count() for network in experiment.variants.values())
    if parameters > settings.run_parameters:
        return (
            f"this experiment has {parameters:,} parameters and a run may have {settings.run_parameters:,} on this server:"
            " make it narrower or shallower"
        )
    return None


def full(waiting: int, event_bytes: int) -> str | None:
    """Return one sentence that says why a run takes no further event now, or None."""
    if waiting >= MOST_WAITING:
        return f"{waiting:,} events of this run wait to act already: let it go on first"
    if event_bytes > MOST_EVENT_BYTES:
        return "this run has been switched as often as one run keeps: start it again to go on switching"
    return None


def overtime(minutes: float) -> str:
    """Return why a run ended that trained for as long as one may."""
    return f"stopped after {spoken(minutes)} of training, this server's limit for a run"


def used_up(minutes: float) -> str:
    """Return why a run does not go on that has trained for as long as one may."""
    return f"this run has trained for {spoken(minutes)}, this server's limit for a run: start it anew with fewer steps"


def unwatched(minutes: float) -> str:
    """Return why a run pauses that nobody looks at."""
    return f"nobody watched for {spoken(minutes)}; it goes on by itself when somebody does"


def tired(minutes: float) -> str:
    """Return why a run ended that nobody resumed."""
    return f"it was paused for {minutes:g} minutes"


def stuck(seconds: float) -> str:
    """Return why a run failed whose worker did not come back from a step."""
    return f"a step took longer than {seconds:.0f} s, and its worker was ended"


def spoken(minutes: float) -> str:
    """Return a time as a person says it."""
    if minutes < 1:
        return f"{minutes * 60:g} s"
    if minutes >= 120 and minutes % 60 == 0:
        return f"{minutes / 60:g} hours"
    return "1 minute" if minutes == 1 else f"{minutes:g} minutes"
