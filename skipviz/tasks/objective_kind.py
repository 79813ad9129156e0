"""What a loss and a metric are; each is described in `tasks/loss` and `tasks/metric`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """A loss: a task's own, or one that can be chosen in its place; all that forms, estimates, scripts and torch need of it."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a task's description, and where it can be chosen in an experiment's JSON data and in links."""
    words: str
    """As a person writes it."""
    function: str
    """What computes it of (outputs, truth), as `module:name`: torch's own, or one whose source a script has as it stands."""
    takes: tuple[str, ...] = ()
    """Fields of a training that it takes too, as `weight` and `label_smoothing`."""
    replaces: tuple[str, ...] = ()
    """The tasks' own losses in whose place it can be chosen."""
    added: bool = False
    """Whether it is chosen beside the task's own: the loss is the sum, and takes what that takes."""
    only: str = ""
    """Why a task has no use for it, `{}` being the task's title."""
    help: str = ""
    """What a form says of it."""
    keeps: int = 0
    """Tensors of the outputs' size that autograd keeps for it beside one."""


@dataclass(frozen=True)
class Metric:
    """A number that says how well held-out samples are predicted; all that pages, scripts and torch need of it."""

    number: int
    """Its place among the kinds, which never changes."""
    name: str
    """In a run's header, and of its function in `skipviz.learning.metric`, whose source a script has as it stands."""
    words: str
    """As a page names it."""
    meaning: str
    """As a script prints it."""
    share: bool = True
    """Whether it is a share, written in percent; otherwise a number up to 1."""
    by_class: bool = False
    """Whether each class's share, its recall, is taken too."""
