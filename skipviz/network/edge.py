"""An edge: it carries a node's state to one port of a later node."""

from __future__ import annotations

from pydantic import Field

from .base import Frozen
from .merge import MERGES
from .node import Node
from .skip import Adapter, Skip


class Edge(Frozen):
    """Carries the state of `source` to `target`, where edges stand in the order of their ports."""

    id: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,32}$", description="stable; parameters and events go by it")
    source: str = Field(max_length=32, description="id of an input or a node")
    target: str = Field(max_length=32, description="id of a node")
    port: int = Field(0, ge=0, le=255, description="where it arrives; edges of one port stand in their own order")
    on: bool = Field(True, description="the switch; whether anything is carried is `in_force`")
    strength: float = Field(1.0, ge=-4, le=4, description="factor s on what is carried")
    gain: float = Field(1.0, ge=0, le=1, description="factor on the gradient that goes back through the edge")
    adapter: Adapter = Adapter()
    learned: bool = Field(False, description="of an edge into a merge: s is a parameter that starts at `strength`")
    rate: float = Field(1.0, ge=0.01, le=100, description="of a learned s: its learning rate, as a multiple of the run's")
    softmax: bool = Field(False, description="of learned s of sums: each is the logit of its share in the state, whose own is 0")

    @property
    def in_force(self) -> bool:
        """Whether it carries anything: on, and of another strength than 0 or a learned one."""
        return self.on and (self.learned or self.strength != 0)

    def joining(self, node: Node, first: bool) -> Skip:
        """Return the edge as a skip, which carries a state of one shape to a merge of another: adapter, gate and parameters."""
        live = {name: getattr(self, name) for name in ("id", "on", "strength", "gain", "adapter", "learned", "rate")}
        if not node.is_merge or (first and (MERGES[node.op.kind].maps or MERGES[node.op.kind].learns)):
            return Skip(source=0, target=1, **live)
        return Skip(source=0, target=1, **node.op.of_skip(), **live)
