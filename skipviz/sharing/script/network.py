"""One network as a class whose forward pass reads as its equations. Imports the data model only."""

from __future__ import annotations

from itertools import pairwise

from ...network.base import Shape, channel_axis, channels, written
from ...network.merge import MERGES
from ...network.norm import NORMS
from ...network.skip import Skip
from .branch import BranchWriter, plain, spread
from .layer import LayerWriter, padding, spatially_adapted
from .live import Live, table_text, text
from .loops import Atom, identifier, key, number, repeated

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
        self.landing: dict[int, list[tuple[int, Skip]]] = {}
        for index, skip in enumerate(self.network.skips):
            self.landing.setdefault(skip.target, []).append((index, skip))
        for there in self.landing.values():
            there.sort(key=lambda one: not MERGES[one[1].merge].first)
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
        given = "x" if network.input == self.sample else f"x.reshape(len(x), {', '.join(map(str, network.input))})"
        parts = [f"self.{table} = {table_text(values)}" for table, values in self.live.tables().items()]
        if self._has_maps():
            parts.append("self.s = nn.ModuleDict()  # adapters and gates of skips, by the states they join")
        if self.branches:
            parts += ["self.b = nn.ModuleDict()  # boxes and adapters of branches, beside the trunk", *below.making()]
        if self.long:
            self.needs.add("Identity")
            parts.append("self.f = nn.ModuleList([Identity()])  # f[k] makes h[k] of h[k - 1]")
            aliases = "f, s = self.f, self.s" if self._has_maps() else "f = self.f"
            first_lines = [aliases, f"h = [{given}] + [None] * {network.depth}"]
        else:
            first_lines = [f"h0 = {given}"]
        if self.branches:
            first_lines += ["b = {}  # states of branches", *below.passing()]
        passed = [*first_lines, *passed]
        made += self.branches.ends() if self.branches else []
        made += [f"self.head = {head}"] if head else []
        made += [f"self.head.weight = {self.module_of(network.tied)}.weight"] if network.tied else []
        return "\n".join(
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

    def _projects(self, index: int) -> bool:
        return self.network.shapes.skips[index].adapter.channels == "project"

    def _has_map(self, index: int) -> bool:
        return self._projects(index) or MERGES[self.network.skips[index].merge].maps

    def _has_maps(self) -> bool:
        return any(map(self._has_map, range(len(self.network.skips))))

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

    def _map(self, index: int, gate: bool) -> str:
        """Return the name of a skip's projection, or of its gate; where it has both, they are a list."""
        skip = self.network.skips[index]
        name = f"{'' if self.long else 'self.'}s[{self._key(skip)}]"
        return name if not (self._projects(index) and MERGES[skip.merge].maps) else f"{name}[{int(gate)}]"

    def _key(self, skip: Skip) -> str:
        """Return the key of a skip's maps: of one through a branch its id, as several may join the same states."""
        return self.id_of(plain(skip.id)) if skip.via else key("", skip.source, skip.target)

    def _atom(self, k: int) -> Atom:
        """Return what makes f_k and the skips that land at h_k, and what computes h_k."""
        network, shapes = self.network, self.network.shapes
        layer = network.layers[k - 1]
        module, place = self.layers.layer(layer, shapes.layers[k - 1], identifier(0), self._frozen_at_first(k), self._drops_path(k))
        module = self.module_of(layer.shares) if layer.shares else module
        atom = Atom(k=k, names=[layer.id])
        atom.made = [f"self.f.append({module})" if self.long else f"self.f{k} = {module}"]
        if shapes.states[k] != shapes.states[k - 1] or k == 1:
            atom.comment = f"h({k}): {written(shapes.states[k])}"
        for index, skip in self.landing.get(k, ()):
            self._make_maps(atom, index, skip)
        self._names = atom.names
        atom.lines = [*self._freezing(k, place), *self._dropping(k, module), *self._state_lines(k)]
        if self.branches:
            self.branches.add(atom, k)
        self._names = []
        return atom

    def id_of(self, name: str) -> str:
        """Return an id as the lines of the atom at hand write it: one that counts along in a loop."""
        self._names.append(name)
        return identifier(len(self._names) - 1)

    def _make_maps(self, atom: Atom, index: int, skip: Skip) -> None:
        shape = self.network.shapes.skips[index]
        source, target = self.network.carries(skip), self.network.shapes.states[skip.target]
        made = []
        if self._projects(index):
            made.append(self.layers.projection(skip, shape, source, identifier(len(atom.names))))
        if MERGES[skip.merge].maps:
            made.append(self.layers.gate(skip, source, target, identifier(len(atom.names))))
        if made:
            module = made[0] if len(made) == 1 else f"nn.ModuleList([{', '.join(made)}])"
            atom.made.append(f"self.s[{self._key(skip)}] = {module}")
            atom.names.append(skip.id)

    def _state_lines(self, k: int) -> list[str]:
        """Return the lines that compute h_k: the layer, then what lands on it."""
        layer, h, shape = self.network.layers[k - 1], self.state(k), self.network.shapes.layers[k - 1]
        expression, lines = self._layer(k, layer, shape), []
        for index, skip in self.landing.get(k, ()):
            if skip.joins:
                continue
            if self.live.changes("on", skip.id):
                if expression != h:
                    lines.append(f"{h} = {expression}")
                lines += [f"if self.on[{self.id_of(skip.id)}]:", f"    {h} = {self._landed(h, index, skip)}"]
                expression = h
            elif self.live.value("on", skip.id):
                expression = self._landed(expression, index, skip)
            else:
                lines.append(f"# off: {MERGES[skip.merge].name if MERGES[skip.merge].sign else '+'} {self._carried(index, skip)}")
        if expression != h:
            comments = [line for line in lines if line.startswith("#")]
            lines = [line for line in lines if not line.startswith("#")]
            lines += [f"{h} = {expression}" + (f"  {comments[0]}" if len(comments) == 1 else "")]
            lines += comments if len(comments) > 1 else []
        return lines

    def _layer(self, k: int, layer, shape) -> str:
        return self.called(self._f(k), self._read(k - 1), layer, shape)

    def called(self, module: str, read: str, layer, shape) -> str:
        """Return what a layer's module makes of what it reads, with its switch and its gradient gain."""
        call = f"{module}({read})"
        if self.live.changes("layer_gain", layer.id) or layer.gain != 1:
            self.needs.add("gain")
            factor = f"self.layer_gain[{self.id_of(layer.id)}]" if self.live.changes("layer_gain", layer.id) else repr(layer.gain)
            call = f"gain({call}, {factor})"
        state = self.live.value("layer", layer.id)
        if self.live.changes("layer", layer.id):
            self.needs.add("resting")
            table = f"self.layer[{self.id_of(layer.id)}]"
            return f'{call} if {table} == "on" else resting({table}, {read}, {shape.output})'
        if state == "on":
            return call
        self.needs.add("resting")
        return f'resting("{state}", {read}, {shape.output})'

    def _read(self, k: int) -> str:
        """Return what is read of h_k: the state, with the concats that land there."""
        h, parts = self.state(k), []
        for index, skip in self._joining(k):
            parts.append(self._concatenated(h, index, skip))
        if not parts:
            return h
        ahead = sum(skip.before for _, skip in self._joining(k))
        parts = [*parts[:ahead], h, *(parts[ahead:] if ahead else self._sliced(k, parts))]
        return f"torch.cat([{', '.join(parts)}], {1 + channel_axis(self.network.shapes.states[k])})"

    def _joining(self, k: int) -> list[tuple[int, Skip]]:
        """Return the concats that are read with h_k, those before it first."""
        return sorted((one for one in self.landing.get(k, ()) if one[1].joins), key=lambda one: not one[1].before)

    def _sliced(self, k: int, parts: list[str]) -> list[str]:
        """Return many plain states in equal steps, as a dense block reads them, as one slice of the list."""
        sources = [skip.source for _, skip in self.landing[k] if skip.joins]
        steps = {b - a for a, b in pairwise(sources)}
        if not self.long or len(parts) < 4 or len(steps) != 1 or parts != [self.state(source) for source in sources]:
            return parts
        step = steps.pop()
        return [f"*h[{sources[0]}:{sources[-1] + 1}{f':{step}' if step > 1 else ''}]"] if step > 0 else parts

    def _concatenated(self, h: str, index: int, skip: Skip) -> str:
        carried = self._carried(index, skip)
        strength = repr(skip.strength or 1.0)
        if self.live.changes("strength", skip.id):
            strength = f"self.strength[{self.id_of(skip.id)}]"
        carried = MERGES[skip.merge].written(h, carried, strength)
        sizes = ", ".join(str(size) for size in self.network.shapes.skips[index].carried)
        zeros = f"{h}.new_zeros(len({h}), {sizes})"
        if self.live.changes("on", skip.id):
            return f"{carried} if self.on[{self.id_of(skip.id)}] else {zeros}"
        return carried if self.live.value("on", skip.id) else zeros

    def _landed(self, f: str, index: int, skip: Skip) -> str:
        """Return `f` with what a skip carries landed on it."""
        changing = self.live.changes("strength", skip.id)
        strength = f"self.strength[{self.id_of(skip.id)}]" if changing else repr(skip.strength)
        kind = MERGES[skip.merge]
        if kind.helper:
            self.needs.add(kind.name)
        if kind.maps:
            transform = self._map(index, True)
            adapted = self._carried(index, skip, "h")
            more = "" if adapted == "h" else f", lambda h: {adapted}"
            place = self._placed(index, skip, "h")
            if place != "h" or self._has_gain(skip):
                transform = f"lambda h: {self._gained(skip, f'{transform}({place})')}"
            more += f", strength={strength}" if changing or skip.strength != 1 else ""
            return f"{kind.name}({f}, {self._source(skip)}, {transform}{more})"
        return kind.written(f if " if " not in f else f"({f})", self._carried(index, skip), strength)

    def _carried(self, index: int, skip: Skip, source: str | None = None) -> str:
        """Return A(h_source), with the skip's gradient gain."""
        shape = self.network.shapes.skips[index]
        carried = self._placed(index, skip, source or self._source(skip))
        pad = padding(shape, self.network.carries(skip))
        if self._projects(index):
            carried = f"{self._map(index, False)}({carried})"
        elif pad is not None:
            carried = f"F.pad({carried}, {pad})"
        return self._gained(skip, carried)

    def _source(self, skip: Skip) -> str:
        """Return the state that a skip carries."""
        return f"b[{self.id_of(skip.via)}]" if skip.via else self.state(skip.source)

    def _placed(self, index: int, skip: Skip, source: str) -> str:
        carries, target = self.network.carries(skip), self.network.shapes.states[skip.target]
        if len(carries) != len(target):
            return spread(source, carries, target)
        return spatially_adapted(self.network.shapes.skips[index], carries, target, source)

    def _has_gain(self, skip: Skip) -> bool:
        return self.live.changes("skip_gain", skip.id) or skip.gain != 1

    def _gained(self, skip: Skip, carried: str) -> str:
        if not self._has_gain(skip):
            return carried
        self.needs.add("gain")
        changing = self.live.changes("skip_gain", skip.id)
        return f"gain({carried}, {f'self.skip_gain[{self.id_of(skip.id)}]' if changing else repr(skip.gain)})"

    def _concat_slices(self, k: int) -> list[tuple[Skip, slice]]:
        """Return the channels that each concat landing at h_k takes of what is read there."""
        first, found, joining = 0, [], self._joining(k)
        for place, (index, skip) in enumerate(joining):
            if not skip.before and (place == 0 or joining[place - 1][1].before):
                first += channels(self.network.shapes.states[k])
            width = channels(self.network.shapes.skips[index].carried)
            found.append((skip, slice(first, first + width)))
            first += width
        return found

    def _keeps(self, k: int) -> bool:
        """Return whether f_k begins with a batch norm of which some channels rest at some time."""
        layer = self.network.layers[k - 1]
        if layer.order != "norm-act-op" or layer.norm == "none" or not NORMS[layer.norm].batch:
            return False
        return any(self.live.ever("on", skip.id, False) for skip, _ in self._concat_slices(k - 1))

    def _frozen_at_first(self, k: int) -> list[str] | None:
        if not self._keeps(k):
            return None
        slices = self._concat_slices(k - 1)
        if any(self.live.changes("on", skip.id) for skip, _ in slices):
            return []
        return [f"slice({part.start}, {part.stop})" for skip, part in slices if not self.live.value("on", skip.id)]

    def _freezing(self, k: int, place: str) -> list[str]:
        """Return the line that says which channels' running statistics rest, where events change it."""
        slices = self._concat_slices(k - 1)
        if not self._keeps(k) or not any(self.live.changes("on", skip.id) for skip, _ in slices):
            return []
        parts = ", ".join(f"{text(skip.id)}: slice({part.start}, {part.stop})" for skip, part in slices if not self._always(skip))
        off = f"[part for name, part in {{{parts}}}.items() if not self.on.get(name)]"
        return [f"{self._f(k)}{place}.frozen = {off}  # zeros of concats that are off"]

    def _adds(self, k: int) -> list[Skip]:
        return [skip for _, skip in self.landing.get(k, ()) if MERGES[skip.merge].sums]

    def _drops_path(self, k: int) -> bool:
        """Return whether an add is in force behind f_k at some time."""
        return any(self.live.ever("on", skip.id, True) for skip in self._adds(k))

    def _dropping(self, k: int, module: str) -> list[str]:
        """Return the line that says whether the drop-path of f_k acts, where events change it."""
        adds = self._adds(k)
        changing = [skip for skip in adds if self.live.changes("on", skip.id)]
        if not self.network.layers[k - 1].drop_path or not changing or any(map(self._always, adds)):
            return []
        place = "[-1]" if module.startswith("nn.Sequential(") else ""
        return [f"{self._f(k)}{place}.acts = {' or '.join(f'self.on[{self.id_of(skip.id)}]' for skip in changing)}"]

    def _always(self, skip: Skip) -> bool:
        return not self.live.changes("on", skip.id) and bool(self.live.value("on", skip.id))


def class_name(variant: str, taken: set[str]) -> str:
    """Return a class name of its own for a variant's name."""
    words = "".join(part[:1].upper() + part[1:] for part in "".join(c if c.isalnum() else " " for c in variant).split())
    name = words if words[:1].isalpha() else f"Network{words}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _in_turn(atoms: list[Atom]) -> tuple[list[str], list[str]]:
    made, passed = [], []
    for atom in atoms:
        made += atom.making()
        passed += atom.passing()
    return made, passed
