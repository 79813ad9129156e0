"""What of a network stays where a form gives another one in its place."""

from __future__ import annotations

from collections.abc import Iterator

from ...network import edit
from ...network.network import Network
from ...network.skip import Skip
from . import FORMS
from .form_values import FormValues
from .stack import CUSTOM, is_stack


def kept(network: Network, old: Network, form: FormValues) -> Network:
    """Return a form's network whose skips have the switch, strength and gain of those of `old` that stay.

    Where all skips were off, new ones are off too. Of a stack, layers keep what was set of them by hand, and skips of no pattern
    stay where they still fit. Raises `NetworkError`.
    """
    there = {(skip.source, skip.target): skip for skip in old.skips}
    new = {"on": any(skip.on for skip in old.skips)} if old.skips else {}
    skips = tuple(
        skip.model_copy(update=_live(there[pair]) if (pair := (skip.source, skip.target)) in there else new)
        for skip in network.skips
    )
    if not FORMS[form.family].free:
        return network.replaced(skips=skips)
    if form.settings()["pattern"] == CUSTOM:
        skips = tuple(skip for skip in old.skips if skip.target <= network.depth)
    fields = {layer.id: {name: getattr(layer, name) for name in _by_hand(form, old)} for layer in old.layers}
    layers = tuple(layer.model_copy(update=fields.get(layer.id, {})) for layer in network.layers)
    return edit.rested(network.replaced(skips=skips, layers=layers), {layer.id for layer in old.layers if not layer.on})


def as_drawn(form: FormValues) -> Iterator[FormValues]:
    """Return a stack with scales of no name, with skips of no pattern, and with both."""
    if FORMS[form.family].free:
        for custom in (("scale",), ("pattern",), ("pattern", "scale")):
            yield form.changed(**dict.fromkeys(custom, CUSTOM))


def _live(skip: Skip) -> dict:
    return {name: getattr(skip, name) for name in ("on", "strength", "gain")}


def _by_hand(form: FormValues, old: Network) -> tuple[str, ...]:
    """Return the fields of a stack's layers that stay: the dropout of a stack, and not of a family that had its own."""
    scales = ("scale", "scale_learned") if form.settings()["scale"] == CUSTOM else ()
    return ("gain", *scales, *(("dropout", "drop_path") if is_stack(old) else ()))
