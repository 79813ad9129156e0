"""A page's view of one lab: its document as the page draws it, and how the page looks at it. Knows no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...drawing.colours import VARIANTS
from ...network.network import Network
from ...tasks.experiment import Experiment
from ..document.document import Document
from ..document.lab import Lab

LAYOUTS = ("column", "u", "layers")


@dataclass
class Editor:
    """One panel's or one lab's page; `document` is what its lab held when it was last looked at."""

    lab: Lab
    document: Document = field(init=False)
    unfolded: frozenset[int | str] | None = None
    """Layers at which two blocks are open, and the last boxes of branches that are; None: what there is room for."""
    folded: bool = True
    zoom: float = 1.0
    layout: str | None = None
    """How the network is drawn, column, u or layers; None: in layers where no trunk dominates it, else as a column."""
    select: dict | None = None
    variant: str = ""
    """The network of several that is looked at, whose settings the sidebar shows; always one that is there."""
    _alone: tuple[Experiment, str, Experiment] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> None:
        """Take what the lab holds now, and what was done to its run elsewhere."""
        self.lab.refresh()
        self.lab.follow()
        before = self.document.experiment if self.variant else None
        self.document = self.lab.document
        edited = bool(self.document.undo) and self.document.undo[-1] is before
        self.variant = _successor(self.variant, before, self.experiment, edited)

    def hold(self, lab: Lab) -> None:
        """View another lab."""
        self.lab = lab
        self.look()

    def show(self, experiment: Experiment, run: str | None = None, edits: int = 0) -> None:
        """Hold `experiment` and its run in place of what is held, which cannot be undone."""
        self.lab.show(experiment, run, edits)
        self.look()

    def begin_anew(self) -> None:
        """Look at the whole of another network."""
        self.unfolded, self.folded, self.zoom, self.layout = None, True, 1.0, None

    @property
    def experiment(self) -> Experiment:
        """The experiment as it is drawn."""
        return self.document.experiment

    @property
    def network(self) -> Network:
        """The network that is looked at."""
        return self.document.experiment.variants[self.variant]

    @property
    def letter(self) -> str:
        """The letter of this network where several are compared, else nothing."""
        names = [*self.experiment.variants]
        return VARIANTS[names.index(self.variant)] if len(names) > 1 else ""

    @property
    def alone(self) -> Experiment:
        """The experiment with this network only; the same object as long as it is the same experiment and network."""
        if self._alone is None or self._alone[0] is not self.experiment or self._alone[1] != self.variant:
            self._alone = self.experiment, self.variant, self.experiment.alone(self.variant)
        return self._alone[2]

    @property
    def own_view(self) -> bool:
        """Whether somebody has chosen how it is drawn."""
        return self.unfolded is not None or self.layout is not None or self.zoom != 1

    @property
    def run(self) -> str | None:
        """The id of the run that trains the experiment, if any."""
        return self.document.run


def _successor(variant: str, before: Experiment | None, now: Experiment, edited: bool) -> str:
    """Return which network is looked at: the one that an edit has put beside others, the same, or the one at its place."""
    names, known = [*now.variants], [*before.variants] if before else []
    came = [name for name in names if name not in known]
    if edited and len(came) == 1 < len(names):
        return came[0]
    if variant in names:
        return variant
    return names[min(known.index(variant), len(names) - 1)] if edited and variant in known else names[0]


def unfolded_after(unfolded: frozenset[int | str] | None, command: dict) -> frozenset[int | str]:
    """Return what is unfolded after a command: two blocks at a layer, `parts` that are opened or folded again, `all`, or nothing.

    Where nobody has chosen yet (None), the command says what is `shown`.
    """
    layer, (parts, shown, whole) = command.get("layer"), (_listed(command, name) for name in ("parts", "shown", "all"))
    now = (shown or frozenset()) if unfolded is None else unfolded
    if whole is not None:
        return whole
    if parts is not None:
        return now - parts if parts <= now else now | parts
    return now | {layer} if isinstance(layer, int) else frozenset()


def layout_named(command: dict) -> str | None:
    """Return the layout that a command names, None for what is none."""
    return next((name for name in LAYOUTS if name == command["name"]), None)


def _listed(command: dict, name: str) -> frozenset[int | str] | None:
    """Return the layers and boxes that a command lists under a name, None where it has no such list."""
    parts = command.get(name)
    return frozenset(part for part in parts if isinstance(part, int | str)) if isinstance(parts, list) else None
