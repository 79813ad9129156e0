"""An experiment's JSON data as short keys and columns, and back. Imports the data model only.

A stack of layers is a palette of the different ones and a column of indices; a skip's ends are columns of differences;
ids are columns of differences from the id before. Regular networks thus become columns of equal numbers, which deflate
shrinks to almost nothing.
"""

from __future__ import annotations

import json
import re
from itertools import islice

from ..network.group import MAX_GROUPS, MAX_NESTED
from ..network.network import MAX_LAYERS, MAX_SKIPS
from ..network.operation import OPERATIONS
from .packed_origin import packed_origin, unpacked_origin

NETWORK = {"i": "input", "h": "head", "f": "further", "t": "tied"}
HEAD = {"k": "kind", "o": "outputs", "b": "bias", "f": "flatten", "i": "init"}
LAYER = {
    "o": "op",
    "a": "activation",
    "n": "norm",
    "r": "order",
    "i": "init",
    "f": "init_factor",
    "d": "dropout",
    "p": "drop_path",
    "z": "zero_gamma",
    "s": "scale",
    "l": "scale_learned",
    "c": "scale_per",
    "e": "on",
    "g": "gain",
    "h": "shares",
}
OPERATION = {"k": "kind", **{key: name for kind in OPERATIONS.values() for key, name in kind.keys.items()}, "t": "gate_bias"}
SKIP = {
    "m": "merge",
    "e": "on",
    "s": "strength",
    "g": "gain",
    "a": "adapter",
    "b": "gate_bias",
    "f": "before",
    "l": "learned",
    "r": "rate",
    "x": "softmax",
    "h": "heads",
    "c": "causal",
    "n": "streams",
    "i": "mixing",
    "d": "dynamic",
}
EDGE = {"o": "port", "e": "on", "s": "strength", "g": "gain", "a": "adapter", "l": "learned", "r": "rate", "x": "softmax"}
ADAPTER = {"s": "spatial", "c": "channels", "w": "width", "b": "bias", "n": "norm", "i": "init", "o": "offset", "k": "kernel"}
TASK = {
    "n": "name",
    "o": "noise",
    "c": "samples",
    "i": "image_size",
    "s": "seed",
    "v": "overlap",
    "r": "rule",
    "l": "length",
    "w": "vocabulary",
    "d": "own",
}
OWN = {
    "d": "digest",
    "f": "file",
    "k": "kind",
    "t": "target",
    "c": "samples",
    "s": "shape",
    "n": "classes",
    "o": "columns",
    "p": "decimal",
    "y": "dates",
    "i": "taken",
}
TRAINING = {
    "o": "optimizer",
    "l": "learning_rate",
    "m": "momentum",
    "b": "batch_size",
    "w": "weight_decay",
    "n": "steps",
    "s": "seed",
    "e": "record_every",
    "d": "device",
    "h": "schedule",
    "u": "warmup_steps",
    "a": "accumulation",
    "p": "precision",
    "c": "clip_norm",
    "v": "clip_value",
    "f": "loss",
    "k": "class_weights",
    "g": "label_smoothing",
    "q": "seeds",
}
"""Short key → field, one table for each class: together they are all that a link carries. A key never changes its meaning."""

PARTS = {"op": OPERATION, "adapter": ADAPTER, "head": HEAD, "own": OWN}

MAX_NUMBER = 10**9
"""Numbers inside an id that are larger stay text."""

_NUMBER = re.compile(r"(?<!\d)(?:0|[1-9]\d{0,8})(?!\d)")
_TEMPLATE = re.compile(r"[A-Za-z0-9._/#-]{0,64}")


class PackingError(ValueError):
    """Packed data that no experiment has; one sentence."""


def packed(data: dict) -> dict:
    """Return the JSON data of an experiment (without defaults) in short form."""
    short = {"v": [[name, _packed_network(network)] for name, network in data["variants"].items()]}
    for key, name, table in (("t", "task", TASK), ("r", "training", TRAINING)):
        if data.get(name):
            short[key] = _short(data[name], _keys(table))
    if data.get("labels"):
        short["l"] = data["labels"]
    return short


def unpacked(short) -> dict:
    """Return the JSON data of an experiment from its short form; raises `PackingError`."""
    _need(isinstance(short, dict) and set(short) <= {"v", "t", "r", "l"}, "its parts are not known")
    variants = short.get("v")
    _need(isinstance(variants, list) and 1 <= len(variants) <= 4, "it has no one to four variants")
    networks = {}
    for pair in variants:
        _need(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str), "a variant has no name")
        _need(pair[0] not in networks, "two variants have the same name")
        networks[pair[0]] = _unpacked_network(pair[1])
    data = {"variants": networks}
    for key, name, table in (("t", "task", TASK), ("r", "training", TRAINING)):
        if key in short:
            data[name] = _long(short[key], table)
    return data | ({"labels": short["l"]} if "l" in short else {})


def _packed_network(network: dict) -> dict:
    short = _short({name: value for name, value in network.items() if name in NETWORK.values()}, _keys(NETWORK))
    layers, skips = network["layers"], network.get("skips", [])
    palette, column = _palette(layers, LAYER, {"id"})
    short["l"] = [palette, _runs(column)]
    short |= packed_origin(**network["origin"]) if "origin" in network else {}
    ids = [layer["id"] for layer in layers]
    if ids != _numbered("f", len(layers)):
        short["n"] = _packed_ids(ids)
    if skips:
        palette, column = _palette(skips, SKIP, {"id", "source", "target", "via"})
        sources = [skip["source"] for skip in skips]
        lengths = [skip["target"] - skip["source"] for skip in skips]
        short["s"] = [palette, _runs(column), _runs(_differences(sources)), _runs(lengths)]
        ids = [skip["id"] for skip in skips]
        if ids == _numbered("s", len(skips)):
            short["m"] = 1
        elif ids != _between(sources, lengths):
            short["m"] = _packed_ids(ids)
        if any("via" in skip for skip in skips):
            short["v"] = _packed_ids([skip.get("via", "") for skip in skips])
    if network.get("branches"):
        short["b"] = [*_packed_parts(network["branches"], LAYER), *_packed_parts(network["edges"], EDGE, ("source", "target"))]
    if network.get("groups"):
        short["g"] = _packed_groups(network["groups"], [part["id"] for part in (*layers, *network.get("branches", ()))])
    return short


def _packed_groups(groups: list[dict], ids: list[str]) -> list:
    """Return the names of groups, how many nodes each has, and their places among a network's boxes as differences."""
    places = {identifier: place for place, identifier in enumerate(ids)}
    nodes = [places[name] for group in groups for name in group["nodes"]]
    counts = [len(group["nodes"]) for group in groups]
    return [_packed_ids([group["name"] for group in groups]), _runs(counts), _runs(_differences(nodes))]


def _unpacked_groups(short, ids: list[str]) -> list[dict]:
    names, counts, nodes = _columns(short, 3)
    names, counts = _unpacked_ids(names, MAX_GROUPS), _unrun(counts, MAX_GROUPS)
    nodes = iter(_chosen(ids, _sums(_unrun(nodes, MAX_NESTED * (MAX_LAYERS + MAX_SKIPS)))))
    _need(len(names) == len(counts), "it has more groups than names, or fewer")
    groups = [{"name": name, "nodes": [*islice(nodes, max(0, count))]} for name, count in zip(names, counts, strict=True)]
    _need(
        [len(group["nodes"]) for group in groups] == counts and not [*nodes], "its groups have more nodes than they say, or fewer"
    )
    return groups


def without_origins(short: dict) -> dict:
    """Return a packed experiment that does not say what made its networks."""
    return {**short, "v": [[name, {key: part for key, part in one.items() if key != "o"}] for name, one in short["v"]]}


def _packed_parts(parts: list[dict], table: dict, names: tuple[str, ...] = ()) -> list:
    """Return parts with ids and further `names` as columns."""
    palette, column = _palette(parts, table, {"id", *names})
    return [palette, _runs(column), *(_packed_ids([part[name] for part in parts]) for name in ("id", *names))]


def _unpacked_network(short) -> dict:
    _need(isinstance(short, dict), "a variant is no network")
    network = _long({key: value for key, value in short.items() if key not in ("l", "n", "s", "m", "b", "v", "o", "g")}, NETWORK)
    network |= {"origin": unpacked_origin(short["o"])} if "o" in short else {}
    columns = _columns(short.get("l"), 2)
    layers = [_long(part, LAYER) for part in _chosen(columns[0], _unrun(columns[1], MAX_LAYERS))]
    ids = _unpacked_ids(short["n"], MAX_LAYERS) if "n" in short else _numbered("f", len(layers))
    network["layers"] = _with_ids(layers, ids)
    if "b" in short:
        nodes, edges = _columns(short["b"], 8)[:3], short["b"][3:]
        network["branches"] = _unpacked_parts(nodes, LAYER, MAX_SKIPS, ("id",))
        network["edges"] = _unpacked_parts(edges, EDGE, 2 * MAX_SKIPS, ("id", "source", "target"))
    if "g" in short:
        network["groups"] = _unpacked_groups(
            short["g"], [part["id"] for part in (*network["layers"], *network.get("branches", ()))]
        )
    if "s" not in short:
        _need("m" not in short and "v" not in short, "it names skips that it does not have")
        return network
    palette, column, sources, lengths = _columns(short["s"], 4)
    skips = [_long(part, SKIP) for part in _chosen(palette, _unrun(column, MAX_SKIPS))]
    sources, lengths = _sums(_unrun(sources, MAX_SKIPS)), _unrun(lengths, MAX_SKIPS)
    _need(len(skips) == len(sources) == len(lengths), "its skips' columns differ in length")
    for skip, source, length in zip(skips, sources, lengths, strict=True):
        skip.update(source=source, target=source + length)
    if "m" not in short:
        ids = _between(sources, lengths)
    elif type(short["m"]) is int:
        _need(short["m"] == 1, "its skips' names are not known")
        ids = _numbered("s", len(skips))
    else:
        ids = _unpacked_ids(short["m"], MAX_SKIPS)
    network["skips"] = _with_ids(skips, ids)
    if "v" in short:
        vias = _unpacked_ids(short["v"], MAX_SKIPS)
        _need(len(vias) == len(skips), "its skips' columns differ in length")
        for skip, via in zip(network["skips"], vias, strict=True):
            skip.update({"via": via} if via else {})
    return network


def _unpacked_parts(columns: list, table: dict, limit: int, names: tuple[str, ...]) -> list[dict]:
    palette, column, *texts = columns
    parts = [_long(part, table) for part in _chosen(palette, _unrun(column, limit))]
    for name, text in zip(names, texts, strict=True):
        values = _unpacked_ids(text, limit)
        _need(len(values) == len(parts), "it has more names than parts, or fewer")
        parts = [{name: value, **part} for part, value in zip(parts, values, strict=True)]
    return parts


def _keys(table: dict) -> dict:
    """Return field → short key."""
    return {name: key for key, name in table.items()}


_KEYS_OF_PARTS = {name: _keys(table) for name, table in PARTS.items()}


def _short(part: dict, keys: dict) -> dict:
    return {keys[name]: _short(value, _KEYS_OF_PARTS[name]) if name in PARTS else value for name, value in part.items()}


def _long(part, table: dict) -> dict:
    _need(isinstance(part, dict), "a part of it is no table")
    unknown = next((key for key in part if key not in table), None)
    _need(unknown is None, f"it holds an unknown field {str(unknown)[:20]!r}")
    named = ((table[key], value) for key, value in part.items())
    return {name: _long(value, PARTS[name]) if name in PARTS else value for name, value in named}


def _palette(parts: list[dict], table: dict, without: set[str]) -> tuple[list[dict], list[int]]:
    """Return the different parts, short and without some fields, in order of appearance, and each part's place among them."""
    keys, places, palette, column = _keys(table), {}, [], []
    for part in parts:
        short = _short({name: value for name, value in part.items() if name not in without}, keys)
        column.append(places.setdefault(json.dumps(short, sort_keys=True), len(palette)))
        if column[-1] == len(palette):
            palette.append(short)
    return palette, column


def _chosen(palette, column: list[int]) -> list:
    _need(isinstance(palette, list), "it has no list of parts")
    _need(all(0 <= place < len(palette) for place in column), "it names a part that it does not have")
    return [palette[place] for place in column]


def _runs(column: list[int]) -> list[int]:
    """Return `column` as value, count, value, count, … of its runs."""
    runs: list[int] = []
    for value in column:
        if runs and runs[-2] == value:
            runs[-1] += 1
        else:
            runs += [value, 1]
    return runs


def _unrun(runs, limit: int) -> list[int]:
    _need(isinstance(runs, list) and len(runs) % 2 == 0, "a column of it is cut short")
    _need(all(type(value) is int and abs(value) <= MAX_NUMBER for value in runs), "a column of it holds more than whole numbers")
    counts = runs[1::2]
    _need(all(count >= 1 for count in counts) and sum(counts) <= limit, f"a column of it has more than {limit:,} entries")
    return [value for value, count in zip(runs[::2], counts, strict=True) for _ in range(count)]


def _packed_ids(ids: list[str]) -> list:
    """Return [templates, runs of templates, runs of differences]: a number in an id is its difference from the last such id's."""
    shapes = [_NUMBER.sub("#", identifier) for identifier in ids]
    templates = list(dict.fromkeys(shapes))
    last: dict[str, list[int]] = {}
    rows: dict[str, list[list[int]]] = {template: [] for template in templates}
    for shape, identifier in zip(shapes, ids, strict=True):
        numbers = [int(text) for text in _NUMBER.findall(identifier)]
        before = last.get(shape, [0] * len(numbers))
        rows[shape].append([number - old for number, old in zip(numbers, before, strict=True)])
        last[shape] = numbers
    differences = [[_runs([row[i] for row in rows[shape]]) for i in range(shape.count("#"))] for shape in templates]
    return [templates, _runs([templates.index(shape) for shape in shapes]), differences]


def _unpacked_ids(short, limit: int) -> list[str]:
    templates, column, differences = _columns(short, 3)
    _need(isinstance(templates, list) and isinstance(differences, list), "its names are not known")
    _need(len(templates) == len(differences) <= limit, "its names are cut short")
    column = _unrun(column, limit)
    numbers = []
    for template, columns in zip(templates, differences, strict=True):
        _need(isinstance(template, str) and _TEMPLATE.fullmatch(template), "a name in it has a strange character")
        _need(isinstance(columns, list) and len(columns) == template.count("#"), "its names are cut short")
        count = column.count(len(numbers))
        sums = [_sums(_unrun(runs, limit)) for runs in columns]
        _need(all(len(values) == count for values in sums), "its names are cut short")
        numbers.append(iter(zip(*sums, strict=True)) if sums else None)
    ids = []
    for template, place in zip(_chosen(templates, column), column, strict=True):
        values = next(numbers[place]) if numbers[place] is not None else ()
        ids.append(template.replace("#", "{}").format(*values))
    return ids


def _with_ids(parts: list[dict], ids: list[str]) -> list[dict]:
    _need(len(parts) == len(ids), "it has more names than parts, or fewer")
    return [{"id": identifier, **part} for part, identifier in zip(parts, ids, strict=True)]


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}{number + 1}" for number in range(count)]


def _between(sources: list[int], lengths: list[int]) -> list[str]:
    return [f"s{source}-{source + length}" for source, length in zip(sources, lengths, strict=True)]


def _differences(values: list[int]) -> list[int]:
    return [value - before for value, before in zip(values, [0, *values[:-1]], strict=True)]


def _sums(differences: list[int]) -> list[int]:
    total, sums = 0, []
    for difference in differences:
        total += difference
        sums.append(total)
    return sums


def _columns(parts, count: int) -> list:
    _need(isinstance(parts, list) and len(parts) == count, "a part of it is cut short")
    return parts


def _need(holds, problem: str) -> None:
    if not holds:
        raise PackingError(problem)
