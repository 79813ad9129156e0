"""A lab's commands, whoever sends them: what they do to its document and its run, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine import EngineError, get_engine
from ...evidence.claim import ClaimError
from ...network.base import NetworkError
from ...network.network import Network
from ...tasks.event import Control
from ...tasks.experiment import ExperimentError
from .lab import Lab, Message
from .reducer import variant_of

LONGEST = 500
"""Characters of a refusal; our own are shorter."""
WATCHING = "you are watching: make it mine to change it"
OWN_MODULE = "this is a module of somebody's own: only the script that trains it can change it"
NO_COMMAND = "The page sent what is no command."


def watching_words(lab: Lab) -> str:
    """Return why nothing can be changed in a lab that watches."""
    experiment = lab.document.experiment
    return OWN_MODULE if experiment.task.watched and not get_engine().trains(experiment) else WATCHING


@dataclass(frozen=True)
class Answer:
    """What whoever sent a command is told: a sentence, what is to be selected."""

    said: Message | None = None
    select: dict[str, Any] | None = None


def handle(lab: Lab, command: dict, address: str | None) -> Answer:
    """Do a command, its run following; a command that is `passing`, as of a slider that is being moved, only the run is told.

    `address` is the visitor's, by which starts are counted. Raises as the lab's rules do, and `EngineError`.
    """
    operation, rules = command["op"], lab.rules
    if lab.watching:
        raise EngineError(watching_words(lab), 403)
    if operation == "start":
        speed = Control(kind="speed", steps_per_second=command.get("speed")).steps_per_second
        lab.start(speed=speed, baseline=bool(command.get("ghost")), paused=bool(command.get("paused")), address=address)
    elif operation == "reset":
        lab.leave()
    elif command.get("passing"):
        lab.send_passing(lambda document: rules.reduced(document, command))
    else:
        return _edit(lab, command, address)
    return Answer()


def _edit(lab: Lab, command: dict, address: str | None) -> Answer:
    before, rules = lab.document, lab.rules
    said = lab.change(lambda document: rules.reduced(document, command), address, extends=rules.extends)
    if rules.starts(before, lab.document):
        try:
            lab.start(speed=rules.speed, baseline=False, paused=False, address=address)
        except EngineError as error:
            said = ("Not started.", capital(str(error)))
    added = command["op"] == "add_skip"
    return Answer(said, {"kind": "skip", "ids": [_edited(lab, command).skips[-1].id]} if added else None)


def _edited(lab: Lab, command: dict) -> Network:
    return lab.document.experiment.variants[variant_of(lab.document.experiment, command)]


def refusal(error: Exception) -> str:
    """Return in one sentence why a command was refused, or that it is none."""
    if isinstance(error, NetworkError | EngineError | ExperimentError | ClaimError):
        return capital(str(error))
    return NO_COMMAND


REFUSED = (NetworkError, EngineError, ExperimentError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a command may raise."""


def capital(text: str) -> str:
    """Return a refusal's text as a sentence begins, without its end where it repeats at length what was sent."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return text[:1].upper() + text[1:]
