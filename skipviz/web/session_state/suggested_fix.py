"""What can be done where a network and a task do not fit: an offer that one button takes. Imports no streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from ...network.base import NetworkError
from ...tasks.experiment import Experiment, MismatchError
from ...tasks.forms.architecture import usual, usual_words
from ...tasks.suggested_fix import fix_words
from ...tasks.task import Task


@dataclass(frozen=True)
class SuggestedFix:
    """An offer that stands while the editor holds `at`: `words` on a button lead to `experiment`."""

    at: Experiment
    sentence: str
    words: str
    experiment: Experiment


def suggested_fix_of(mismatch: MismatchError | None, at: Experiment) -> SuggestedFix | None:
    """Return what can be done about a link or JSON whose network does not fit its task, or None."""
    if mismatch is None:
        return None
    sentence = f"The network that was opened does not fit its task: {mismatch}."
    try:
        return SuggestedFix(at, sentence, mismatch.words(), mismatch.mended())
    except NetworkError:
        words, experiment = usual_words(mismatch.task), usual(mismatch.task, mismatch.training)
        return SuggestedFix(at, f"{sentence} No input and no head make it fit.", words, experiment)


def back_to_own(task: Task, at: Experiment) -> SuggestedFix | None:
    """Return the offer to put the network now on the editor on the data of one's own that was there before."""
    if task.own is None or at.task.own == task.own:
        return None
    title, file = at.task.kind.title, task.own.file
    problem = task.mismatch(at.network)
    sentence = f"This network is for {title.lower()}; {file} is still here"
    try:
        mended = at.on(task)
    except NetworkError as error:
        words, experiment = usual_words(task), usual(task, at.training)
        return SuggestedFix(at, f"{sentence}, but the network cannot learn it: {error}.", words, experiment)
    why = f", but {problem[:1].lower()}{problem[1:]}." if problem else " and it fits it."
    return SuggestedFix(at, sentence + why, fix_words(task) if problem else "Train it on your own data", mended)
