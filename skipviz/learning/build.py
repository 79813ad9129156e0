"""From a network's description to a torch module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

import torch
from torch import Tensor, nn

from ..network import Head, Layer, Network, NetworkError
from ..network.base import Shape, channels, elements, places
from ..network.chain import wired
from ..network.edit import PARTS
from ..network.merge import MERGES
from ..network.operation import Convolution, Identity, Linear
from ..network.shapes import NodeShape
from ..network.way import ways_of_edges, ways_of_skips
from .dropout import Masks
from .layer import LayerModule
from .operation import Function, made
from .plan import Plan
from .recording import Recording
from .seeding import generator
from .skip import SkipModule


class Parts(nn.Module):
    """The modules of layers or skips in their order: by place, by id, and as attributes. Names are ids as an attribute has them."""

    def __init__(self, parts: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__()
        self._names: list[str] = []
        self._by_id: dict[str, str] = {}
        for identifier, module in parts:
            name = identifier.replace(".", "_")
            while hasattr(self, name):
                name += "_"
            self.add_module(name, module)
            self._names.append(name)
            self._by_id[identifier] = name

    def __getitem__(self, part: int | str) -> nn.Module:
        return self._modules[self._names[part] if isinstance(part, int) else self._by_id[part]]

    def get(self, identifier: str) -> nn.Module | None:
        """Return the module of the part with this id, or None."""
        return self._modules.get(self._by_id.get(identifier))

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def place(self, name: str) -> int:
        """Return the place of the module of this name."""
        return list(self._modules).index(name)


class NetworkModule(nn.Module):
    """A network in torch. `(batch, *network.input)` → the head's outputs.

    Its parameters are those that `network.parameter_count()` counts, named by ids: `layers.f3.operation.weight`,
    `skips.s2.project.weight`, `head.weight`. Switches, strengths and gains are those of `network` and change through
    `set_network`; they reshape nothing. A call goes through the modules of all layers and skips in force, so whatever
    torch lets one do with a module's parameters, hooks and parts acts here too.
    """

    def __init__(self, network: Network, seed: int = 0) -> None:
        super().__init__()
        shapes = network.shapes
        self.network, self.masks = network, Masks(seed)
        self.layers = Parts(self._boxes(network.layers, shapes.layers, seed))
        self.skips = Parts((way.skip.id, SkipModule(way, seed)) for way in ways_of_skips(network))
        if network.branches:
            self.branches = Parts(self._boxes(network.branches, shapes.branches, seed))
            into = ways_of_edges(network)
            merging = chain.from_iterable(into[node.id] for node in network.branches if node.is_merge)
            self.edges = Parts((way.skip.id, SkipModule(way, seed)) for way in merging)
        self.reads, self.head = built_head(network.head, shapes.head_input, seed)
        if network.tied:
            self.head.weight = self.layers[network.tied].operation.weight
        self._plan: Plan | None = None

    def _boxes(self, parts: Iterable[Layer], shapes: Iterable[NodeShape], seed: int) -> Iterator[tuple[str, LayerModule]]:
        """Return, by id, the modules of layers that have weights of their own."""
        for part, shape in zip(parts, shapes, strict=True):
            if not (part.shares or part.op.kind in MERGES):
                yield part.id, LayerModule(part, shape, seed, self.masks)

    def set_network(self, network: Network) -> None:
        """Take the switches, strengths and gains of `network`; raises `NetworkError` if its structure differs."""
        if _structure(network) != _structure(self.network):
            raise NetworkError("this change gives another network, so it needs a run of its own")
        self.network = network
        if self._plan is not None:
            self.plan()

    def plan(self) -> None:
        """Make ready to be called, in all its parts; what is only `bound` needs none of it."""
        self._plan = self._planned(self.network)

    def bound(self, network: Network, training: bool) -> Plan:
        """Return the forward pass under the switches of `network` with the present parameters bound: for a training loop.

        It computes what a call computes, bit for bit, and hears of no parameter that is put in another's place later.
        """
        return self._planned(network, training)

    def _planned(self, network: Network, training: bool | None = None) -> Plan:
        return Plan(self, wired(network), training)

    def layer_of(self, node: str) -> LayerModule:
        """Return the module of the layer, or of the branch's node, with this id."""
        return self.layers.get(node) or self.branches[node]

    def carrier(self, edge: str) -> SkipModule | None:
        """Return the module of the skip, or of an edge into a branch's merge; None for an edge into a layer."""
        found = self.skips.get(edge)
        return self.edges.get(edge) if found is None and self.network.branches else found

    def beside(self) -> list[nn.Module]:
        """Return the modules of the nodes and of the edges of branches, in the network's order."""
        if not self.network.branches:
            return []
        nodes = (None if node.shares else self.branches.get(node.id) for node in self.network.branches)
        edges = (self.edges.get(edge.id) for edge in self.network.edges)
        return [nn.Identity() if part is None else part for part in (*nodes, *edges)]

    def in_order(self) -> list[nn.Module]:
        """Return the modules of the layers; one that uses another's weights has an empty one."""
        return [nn.Identity() if layer.shares else self.layers[layer.id] for layer in self.network.layers]

    def forward(self, *inputs: Tensor, recording: Recording | None = None) -> Tensor:
        if self._plan is None:
            self.plan()
        return self._plan.run(inputs, recording)

    def run(self, x: Tensor | tuple[Tensor, ...], recording: Recording | None = None) -> Tensor:
        """Call the module, as a program does."""
        return self(*((x,) if isinstance(x, Tensor) else x), recording=recording)

    def __getstate__(self) -> dict:
        """Leave the plan out: it calls this module's own parts, and a copy must make its own."""
        return {**self.__dict__, "_plan": None}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.plan()

    def earlier_names(self) -> dict[str, str]:
        """Return, by the names of parameters and buffers, those that they had when parts were named by their place."""
        names = {}
        for name in (name for name, _ in chain(self.named_parameters(), self.named_buffers())):
            room, _, rest = name.partition(".")
            if room in ("layers", "skips"):
                part, _, rest = rest.partition(".")
                place = getattr(self, room).place(part)
                names[name] = f"{room}.{place}.{rest.replace('project.', 'projection.', 1)}"
            elif room == "head":
                names[name] = f"{room}.operation.{rest}"
        return names

    def _load_from_state_dict(self, state_dict, prefix, *rest) -> None:
        """Take what an earlier version saved too."""
        names = {prefix + old: prefix + new for new, old in self.earlier_names().items()}
        given = [name for name in state_dict if name.startswith(prefix)]
        if all(name in names for name in given) and not all(name in names.values() for name in given):
            for name in given:
                state_dict[names[name]] = state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def built_head(head: Head, shape: Shape, seed: int) -> tuple[Function | None, nn.Module]:
    """Return how the head reads the last state, or None where it reads it as it is, and its operation."""
    reads, read = None, shape
    if head.kind == "classes":
        read = (elements(shape) if head.flatten else channels(shape),)
        if len(shape) > 1:
            reads = partial(torch.flatten, start_dim=1) if head.flatten else partial(torch.mean, dim=places(shape))
    if head.kind == "state":
        operation = Identity()
    elif head.kind == "pixels":
        operation = Convolution(width=head.outputs, kernel=1, bias=head.bias)
    else:
        operation = Linear(width=head.outputs, bias=head.bias)
    return reads, made(operation, read, head.init, generator(seed, "head"))


def build(network: Network, seed: int = 0) -> NetworkModule:
    """Return `network` as a torch module with float32 parameters on the CPU.

    Every layer and skip draws its weights from a generator of its own, seeded by `seed` and its id, so that toggling,
    adding or inserting changes no other layer's weights (except where a concat changes a fan-in).
    """
    with torch.no_grad():
        module = NetworkModule(network, seed)
    module.plan()
    return module


def _structure(network: Network) -> Network:
    """Return `network` with every switch, strength and gain as they usually are."""
    usual = {"on": True, "gain": 1.0, "strength": 1.0}
    parts = {
        name: tuple(part.model_copy(update={k: v for k, v in usual.items() if hasattr(part, k)}) for part in getattr(network, name))
        for name in PARTS
    }
    return network.model_copy(update=parts)
