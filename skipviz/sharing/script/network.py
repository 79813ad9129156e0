"""One network as a class whose forward pass reads as its equations. Imports the data model only."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from keyword import iskeyword
from unicodedata import normalize

from ...network.base import Shape, axes, channel_axis, elements, is_image, written
from ...network.kind import Placement
from ...network.layer import Layer
from ...network.merge import MERGES
from ...network.placement import PLACEMENTS
from ...network.shapes import NodeShape
from ...network.skip import Skip
from ...network.way import Way, ways, ways_of_skips
from .branch import BranchWriter, plain
from .layer import LayerWriter, padding
from .live import Live, table_text, text
from .loops import Atom, identifier, key, number, repeated
from .parts import called

WRITTEN_OUT = 32
"""Up to so many layers each state is a variable of its own; longer networks keep lists, and loops where blocks repeat."""


class NetworkWriter:
    """Writes the class of one network; `live` has what events change, `needs` collects the helpers it uses.

    `sample` is the shape of one sample of the task's data.
    """

    def __init__(self, live: Live, needs: set[str], own_norms: bool, sample: Shape) -> None:
        self.live, self.needs, self.sample = live, needs, sample
        self.network = live.phases[0]
        self.layers = LayerWriter(needs, own_norms)
        self._names: list[str] = []
        self.long = self.network.depth > WRITTEN_OUT
        ways = ways_of_skips(self.network)
        self.landing: dict[int, list[Way]] = {}
        for way in ways:
            self.landing.setdefault(way.skip.target, []).append(way)
        for there in self.landing.values():
            first = [name for name in dict.fromkeys(way.skip.merge for way in there) if MERGES[name].first]
            there.sort(key=lambda way: [*first, way.skip.merge].index(way.skip.merge))
        self._has_maps = any(way.modules for way in ways)
        self.branches = BranchWriter(self) if self.network.branches else None

    def written(self, name: str, sentence: str) -> str:
        """Return the source of the class."""
        network = self.network
        atoms = [self._atom(k) for k in range(1, network.depth + 1)]
        below = Atom()
        self._names = below.names
        if self.branches:
            self.branches.add(below, 0)
        made, passed = repeated(atoms) if self.long else _in_turn(atoms)
        head, read = self.layers.head(network.head, network.shapes.head_input)
        last = Atom()
        self._names = last.names
        first = self._read(network.depth)
        last.lines = [read.format(first) if head is None else f"self.head({read.format(first)})"]
        result = last.passing()[0]
        given = "x" if network.input == self.sample else f"x.reshape(len(x), {_sizes(network.input)})"
        parts = [f"self.{table} = {table_text(values)}" for table, values in self.live.tables().items()]
        if self._has_maps:
            maps = _learning(any(skip.learned for skip in network.skips))
            parts.append(f"self.s = nn.ModuleDict()  # {maps} of skips, by the states they join")
        if self.branches:
            parts += ["self.b = nn.ModuleDict()  # boxes of branches, beside the trunk"]
            parts += [
                f"self.e = nn.ModuleDict()  # {_learning(any(edge.learned for edge in network.edges))} between them",
                *below.making(),
            ]
        if self.long:
            parts.append("self.f = nn.ModuleList([Identity()])  # f[k] makes h[k] of h[k - 1]")
            aliases = "f, s = self.f, self.s" if self._has_maps else "f = self.f"
            first_lines = [aliases, f"h = [{given}] + [None] * {network.depth}"]
        else:
            first_lines = [f"h0 = {given}"]
        if network.further:
            given = [elements(shape) for shape in (network.input, *network.further.values())]
            first_lines.insert(0, f"x, *further = x.flatten(1).split({given}, dim=1)")
        if self.branches:
            first_lines += [f"b = {_inputs(network.further)}  # states of branches", *below.passing()]
        passed = [*first_lines, *passed]
        made += self.branches.ends() if self.branches else []
        made += [f"self.head = {head}"] if head else []
        made += [f"self.head.weight = next({self.module_of(network.tied)}.parameters())"] if network.tied else []
        source = "\n".join(
            [
                f"class {name}(nn.Module):",
                f'    """{sentence}"""\n',
                "    def __init__(self):",
                *(f"        {line}" for line in ("super().__init__()", *parts, *made)),
                "\n    def forward(self, x):",
                *(f"        {line}" for line in (*passed, f"return {result}")),
                "",
            ]
        )
        self.needs |= called(source)
        return source

    def state(self, k: int) -> str:
        """Return the variable that holds h_k."""
        return f"h[{number(k)}]" if self.long else f"h{k}"

    def _f(self, k: int) -> str:
        return f"f[{number(k)}]" if self.long else f"self.f{k}"

    def module_of(self, owner: str) -> str:
        """Return the module of a layer or of a branch's node by its id."""
        place = next((k for k, layer in enumerate(self.network.layers, start=1) if layer.id == owner), None)
        if place is None:
            return f'self.b["{plain(owner)}"]'
        return f"self.f[{place}]" if self.long else f"self.f{place}"

    def _map(self, way: Way, kind: str) -> str:
        """Return the name of a way's module of a kind; where there are several, they are a list."""
        name = f"self.e[{self._key(way)}]" if way.beside else f"{'' if self.long else 'self.'}s[{self._key(way)}]"
        return name if len(way.modules) == 1 else f"{name}[{way.modules.index(kind)}]"

    def strength_of(self, identifier: str) -> str:
        """Return where the model has the learned strength of a skip or a branch's edge, as an expression behind its own."""
        way = next(way for way in ways(self.network) if way.skip.id == identifier)
        key = plain(identifier) if way.beside or way.skip.via else f"{way.skip.source}-{way.skip.target}"
        return f"{'e' if way.beside else 's'}[{text(key)}]" + "[0]" * (len(way.modules) > 1)

    def _key(self, way: Way) -> str:
        """Return the key of a way's maps: of what comes from or leads to a branch its id, as several may join the same states."""
        if not way.beside and not way.skip.via:
            return key("", way.skip.source, way.skip.target)
        return self.id_of(plain(way.skip.id))

    def _atom(self, k: int) -> Atom:
        """Return what makes f_k and the skips that land at h_k, and what computes h_k."""
        network, shapes = self.network, self.network.shapes
        layer = network.layers[k - 1]
        atom = Atom(k=k, names=[layer.id])
        self._names = atom.names
        module, lines = self.made(layer, shapes.layers[k - 1], identifier(0), self._f(k))
        atom.made = [f"self.f.append({module})" if self.long else f"self.f{k} = {module}"]
        if shapes.states[k] != shapes.states[k - 1] or k == 1:
            atom.comment = f"h({k}): {written(shapes.states[k])}"
        there = self.landing.get(k, ())
        self.make_maps(atom, there)
        expression = self.called(self._f(k), self._read(k - 1), layer, shapes.layers[k - 1])
        atom.lines = [*lines, *self.landed(self.state(k), expression, [way for way in there if not way.skip.joins])]
        if self.branches:
            self.branches.add(atom, k)
        self._names = []
        return atom

    def id_of(self, name: str) -> str:
        """Return an id as the lines of the atom at hand write it: one that counts along in a loop."""
        self._names.append(name)
        return identifier(len(self._names) - 1)

    def made(self, layer: Layer, shape: NodeShape, name: str, module: str) -> tuple[str, list[str]]:
        """Return what makes a layer, and the lines that set `module`, which it is, to what events change in it."""
        live, frozen, lines = self.live, None, []
        zeroed = live.changes("zeroed", layer.id)
        if live.ever("zeroed", layer.id):
            frozen = [] if zeroed else [f"slice({first}, {last})" for first, last in live.value("zeroed", layer.id)]
        made, place = self.layers.layer(layer, shape, name, frozen, live.ever("drops", layer.id))
        if zeroed:
            rests = f"[slice(*part) for part in self.zeroed[{self.id_of(layer.id)}]]"
            lines.append(f"{module}{place}.frozen = {rests}  # zeros of concats that are off")
        if live.changes("drops", layer.id):
            last = "[-1]" if made.startswith("nn.Sequential(") else ""
            lines.append(f"{module}{last}.acts = self.drops[{self.id_of(layer.id)}]")
        return self.module_of(layer.shares) if layer.shares else made, lines

    def make_maps(self, atom: Atom, ways: Iterable[Way]) -> None:
        """Add to an atom what makes adapters, gates and what is learned of both states."""
        for way in ways:
            made = []
            if way.skip.learned:
                made.append(f"Strength({way.skip.strength!r}{f', {way.skip.rate!r}' if way.skip.rate != 1 else ''})")
            if way.projects:
                made.append(self.layers.projection(way.skip, way.shape, way.carries, self.id_of(way.skip.id)))
            if way.gates:
                made.append(self.layers.gate(way.skip, way.carries, way.target, self.id_of(way.skip.id)))
            if way.learns:
                made.append(self.layers.learned(way.skip, way.target, self.id_of(way.skip.id)))
            if made:
                module = made[0] if len(made) == 1 else f"nn.ModuleList([{', '.join(made)}])"
                atom.made.append(f"self.{'e' if way.beside else 's'}[{self._key(way)}] = {module}")

    def landed(self, h: str, expression: str, ways: Iterable[Way]) -> list[str]:
        """Return the lines that give the variable `h` an expression with what lands on it."""
        ways = [*ways]
        lines, sharing = [], [way for way in ways if way.skip.softmax]
        if sharing:
            lines.append(f"w = shares({', '.join(map(self._shared, sharing))})")
            expression = f"{_closed(expression)} * w[0]"
        for way in ways:
            skip = way.skip
            if self.live.changes("on", skip.id):
                if expression != h:
                    lines.append(f"{h} = {expression}")
                lines += [f"if self.on[{self.id_of(skip.id)}]:", f"    {h} = {self._landed(h, way, sharing)}"]
                expression = h
            elif self.live.value("on", skip.id):
                expression = self._landed(expression, way, sharing)
            else:
                lines.append(f"# off: {MERGES[skip.merge].name if MERGES[skip.merge].sign else '+'} {self._carried(way)}")
        if expression != h:
            comments = [line for line in lines if line.startswith("#")]
            lines = [line for line in lines if not line.startswith("#")]
            lines += [f"{h} = {expression}" + (f"  {comments[0]}" if len(comments) == 1 else "")]
            lines += comments if len(comments) > 1 else []
        return lines

    def called(self, module: str, read: str, layer, shape) -> str:
        """Return what a layer's module makes of what it reads, with its switch and its gradient gain."""
        call = f"{module}({read})"
        if self.live.changes("layer_gain", layer.id) or layer.gain != 1:
            factor = f"self.layer_gain[{self.id_of(layer.id)}]" if self.live.changes("layer_gain", layer.id) else repr(layer.gain)
            call = f"with_gain({call}, {factor})"
        state = self.live.value("layer", layer.id)
        if self.live.changes("layer", layer.id):
            table = f"self.layer[{self.id_of(layer.id)}]"
            return f'{call} if {table} == "on" else resting({table}, {read}, {shape.output})'
        if state == "on":
            return call
        return f'resting("{state}", {read}, {shape.output})'

    def _read(self, k: int) -> str:
        """Return what is read of h_k: the state, with the concats that land there."""
        h, joining = self.state(k), [way for way in self.landing.get(k, ()) if way.skip.joins]
        if not joining:
            return h
        before, behind = ([way for way in joining if way.skip.before is ahead] for ahead in (True, False))
        parts = [*map(self.brought, before), h, *self._sliced(behind)]
        return f"torch.cat([{', '.join(parts)}], {1 + channel_axis(self.network.shapes.states[k])})"

    def _sliced(self, ways: list[Way]) -> list[str]:
        """Return what ways bring, of many plain states in equal steps, as a dense block reads them, one slice of the list."""
        parts, sources = [*map(self.brought, ways)], [way.source for way in ways]
        if not self.long or len(parts) < 4 or parts != [self.state(source) for source in sources]:
            return parts
        steps = {b - a for a, b in pairwise(sources)}
        step = steps.pop()
        if steps or step <= 0:
            return parts
        return [f"*h[{sources[0]}:{sources[-1] + 1}{f':{step}' if step > 1 else ''}]"]

    def brought(self, way: Way) -> str:
        """Return what a way brings to where it is read beside others, or alone: zeros while it is off."""
        skip, switched = way.skip, self.live.changes("on", way.skip.id)
        carried = MERGES["concat"].written(
            "", self._weighed(way, self._carried(way), 0), self._strength(skip, skip.strength or 1.0)
        )
        if not switched and self.live.value("on", skip.id):
            return carried
        source = self._source(way)
        zeros = f"{source}.new_zeros(len({source}), {', '.join(map(str, way.shape.carried))})"
        return f"{carried} if self.on[{self.id_of(skip.id)}] else {zeros}" if switched else zeros

    def _strength(self, skip: Skip, fixed: float) -> str:
        if skip.learned:
            return "1.0"
        return f"self.strength[{self.id_of(skip.id)}]" if self.live.changes("strength", skip.id) else repr(fixed)

    def _weighed(self, way: Way, carried: str, neutral: int) -> str:
        """Return what a way carries, or of a gate its T, with a learned strength; `neutral` changes nothing."""
        if not way.skip.learned:
            return carried
        strength = self._map(way, "strength")
        return f"1 - {strength}(1 - {carried})" if neutral == 1 else f"{strength}({carried})"

    def _shared(self, way: Way) -> str:
        """Return the strength whose share a way has, None where it is off."""
        strength = f"{self._map(way, 'strength')}.value"
        if self.live.changes("on", way.skip.id):
            return f"{strength} if self.on[{self.id_of(way.skip.id)}] else None"
        return strength if self.live.value("on", way.skip.id) else "None"

    def _landed(self, f: str, way: Way, sharing: list[Way]) -> str:
        """Return `f` with what a way carries landed on it; those of `sharing` have shares."""
        skip, kind = way.skip, MERGES[way.skip.merge]
        strength = self._strength(skip, skip.strength)
        if way.learns:
            strength = f"{self._map(way, 'strength')}.value" if skip.learned else strength
            more = f", {strength}" if strength != "1.0" else ""
            return f"towards({f}, {self._carried(way)}, {self._map(way, way.learns)}{more})"
        if not way.gates:
            carried = self._carried(way)
            carried = f"{carried} * w[{1 + sharing.index(way)}]" if skip.softmax else self._weighed(way, carried, kind.neutral)
            return kind.written(_closed(f), carried, strength)
        place = PLACEMENTS.get(way.shape.adapter.spatial)
        source = self._source(way)
        carried = self._carried(way, f"(a := {source}.view_as({source}))")  # one node for A and T
        transform = self._gained(skip, f"{self._map(way, 'gate')}({_placed(way, place, 'a')})")
        return kind.written(f, f"{carried}, {self._weighed(way, transform, kind.neutral)}", strength)

    def _carried(self, way: Way, source: str | None = None) -> str:
        """Return what a way makes of its source, with its gradient gain."""
        source = source or self._source(way)
        if len(way.carries) != len(way.target):  # it is one number a channel
            spread = ", ".join([":, :", *["None"] * axes(way.target)]) if is_image(way.target) else ":, None, :"
            return f"{self._gained(way.skip, source)}[{spread}]"
        carried = _placed(way, way.shape.adapter.placement, source)
        pad = padding(way.shape, way.carries)
        if way.projects:
            carried = f"{self._map(way, 'project')}({carried})"
        elif pad is not None:
            carried = f"F.pad({carried}, {pad})"
        return self._gained(way.skip, carried)

    def _source(self, way: Way) -> str:
        """Return the state of which a way carries something."""
        return self.state(way.source) if isinstance(way.source, int) else f"b[{self.id_of(way.source)}]"

    def _gained(self, skip: Skip, carried: str) -> str:
        changing = self.live.changes("skip_gain", skip.id)
        if not changing and skip.gain == 1:
            return carried
        return f"with_gain({carried}, {f'self.skip_gain[{self.id_of(skip.id)}]' if changing else repr(skip.gain)})"


def _placed(way: Way, place: Placement | None, state: str) -> str:
    """Return the expression of `state` at the positions of what a way joins."""
    return place.written(state, way.shape.adapter.between(way.carries, way.target)) if place else state


def _sizes(shape: Shape) -> str:
    """Return a shape as arguments."""
    return ", ".join(map(str, shape))


def _inputs(further: dict[str, Shape]) -> str:
    """Return the further inputs by name, as an expression."""
    shaped = []
    for k, (name, shape) in enumerate(further.items()):
        part = f"further[{k}]" if len(shape) == 1 else f"further[{k}].reshape(len(x), {_sizes(shape)})"
        shaped.append(f"{text(name)}: {part}")
    return f"{{{', '.join(shaped)}}}"


def _closed(expression: str) -> str:
    return f"({expression})" if " " in expression else expression


def _learning(strengths: bool) -> str:
    return "strengths, adapters and gates" if strengths else "adapters and gates"


def class_name(variant: str, taken: set[str]) -> str:
    """Return a class name of its own for a variant's name."""
    letters = (c if c != "_" and f"a{c}".isidentifier() else " " for c in normalize("NFKC", variant))
    words = "".join(part[:1].upper() + part[1:] for part in "".join(letters).split())
    name = words if words[:1].isalpha() else f"Network{words}"
    while name in taken or iskeyword(name):
        name += "_"
    taken.add(name)
    return name


def _in_turn(atoms: list[Atom]) -> tuple[list[str], list[str]]:
    made, passed = [], []
    for atom in atoms:
        made += atom.making()
        passed += atom.passing()
    return made, passed
