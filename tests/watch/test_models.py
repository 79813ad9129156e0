"""Architectures of the transformers library, watched: equal to the bit, with the layers and skips that their papers have."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
import torch
from catalogue import CASES
from passes import captured, loss_of, same, trained, worst_sum

import skipviz
from skipviz.drawing.diagram import draw
from skipviz.watch.capture import tensors_in
from skipviz.watch.switches import Setting, Switches

pytest.importorskip("transformers")
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
DOUBLE = [case for case in CASES if case.name in ("GPT-2", "BERT", "T5", "GPT-NeoX", "Swin", "ResNet bottleneck")]


@cache
def seen(case):
    """Return a model, loss and gradients of its bare pass, the same watched, and what was made of that."""
    model, inputs = case.make().train(), case.inputs()
    bare = trained(model, lambda: model(**inputs))
    watched = skipviz.watch(model, live=False)
    beside = trained(model, lambda: model(**inputs))
    watched.step(beside[0])
    watched.close()
    return model, bare, beside, watched


@EVERY
def test_loss_and_gradients_are_the_bare_models_to_the_bit(case):
    _, bare, beside, _ = seen(case)

    assert beside[0] == bare[0]
    assert same(beside[1], bare[1])


@EVERY
def test_layers_and_skips_are_those_of_the_paper(case):
    *_, watched = seen(case)
    network = watched.network

    assert watched.remarks == ([case.remark] if case.remark else [])
    assert network.depth == case.depth
    assert Counter(skip.merge for skip in network.skips) == Counter({"add": case.skips, **case.others})


@EVERY
def test_every_parameter_that_has_a_gradient_is_counted_once(case):
    model, bare, _, watched = seen(case)
    trains = zip(model.parameters(), bare[1], strict=True)
    used = sum(one.numel() for one, gradient in trains if gradient is not None or not one.requires_grad)

    assert watched.network.parameter_count() == used


@EVERY
def test_the_network_is_drawn(case):
    *_, watched = seen(case)
    drawn = draw(watched.network)

    assert drawn.svg.startswith("<svg")
    assert drawn.width > 0


@EVERY
def test_each_skip_can_be_off(case):
    """Where it landed the sum is what came by the other way, to the bit; and nothing goes back through it."""
    model, inputs = case.make().eval(), case.inputs()
    one = captured(model, (), inputs)
    skips = [skip for skip in one.layout.network.skips if skip.merge == "add"]
    ((number, slot),) = one.layout.reads[skips[len(skips) // 2].id]
    merge, switches = one.capture.trace.operations[number], Switches()
    switches.settings = {(merge.key, slot): Setting(strength=0)}
    off = captured(model, (), inputs, switches)
    loss_of(off.output).backward()
    (other,) = [read for read in merge.reads if read.slot != slot]
    (source,) = [read.source for read in merge.reads if read.slot == slot]
    before, behind = one.capture.values[number], off.capture.values[number]

    assert torch.equal(behind, off.capture.values[other.source].view_as(behind))
    assert torch.equal(behind, before) == (not one.capture.values[source].any())  # an EfficientNet in eval mode carries zeros
    assert (number, slot) not in off.capture.gradients.reads


@EVERY
def test_what_comes_back_along_the_edges_of_a_state_sums_to_its_gradient(case):
    model = case.make().eval()
    one = captured(model, (), case.inputs())
    loss_of(one.output).backward()
    worst, count = worst_sum(one.capture)

    assert count > 10
    assert worst < 1e-5


@pytest.mark.parametrize("case", DOUBLE, ids=lambda case: case.name)
def test_in_double_precision_they_sum_to_twelve_digits(case):
    model = case.make().double().eval()
    inputs = {name: value.double() if value.is_floating_point() else value for name, value in case.inputs().items()}
    one = captured(model, (), inputs)
    next(t for t in tensors_in(one.output) if t.requires_grad).square().mean().backward()

    assert worst_sum(one.capture)[0] < 1e-12


def without(layer: str, model, inputs):
    """Return what a model gives when the skip past one of its layers is off."""
    one = captured(model, (), inputs)
    layout, operations = one.layout, one.capture.trace.operations
    skip = next(skip for skip in layout.network.skips if layout.network.layers[skip.target - 1].id == layer)
    switches = Switches()
    switches.settings = {(operations[number].key, slot): Setting(strength=0) for number, slot in layout.reads[skip.id]}
    return one.output.logits, captured(model, (), inputs, switches).output.logits


def named(name: str):
    case = next(case for case in CASES if case.name == name)
    return case.make().eval(), case.inputs()


def test_a_skip_of_gpt2_switched_off_gives_what_the_edited_model_gives():
    model, inputs = named("GPT-2")
    as_it_is, off = without("transformer.h.1.attn", model, inputs)
    block = model.transformer.h[1]

    def edited(hidden, *args, **kwargs):
        hidden = block.attn(block.ln_1(hidden), attention_mask=kwargs.get("attention_mask"))[0]
        return hidden + block.mlp(block.ln_2(hidden))

    block.forward = edited

    assert torch.equal(off, model(**inputs).logits)
    assert not torch.equal(off, as_it_is)


def test_a_skip_of_a_resnet_that_adds_in_place_switched_off_gives_what_the_edited_model_gives():
    model, inputs = named("ResNet basic")
    as_it_is, off = without("stages.0.layers.1.layer.1", model, inputs)
    block = model.resnet.encoder.stages[0].layers[1]
    block.forward = lambda hidden: block.activation(block.layer(hidden))

    assert torch.equal(off, model(**inputs).logits)
    assert not torch.equal(off, as_it_is)


def unfolded(*paths: str) -> list[str]:
    model, inputs = named("GPT-2")
    watched = skipviz.watch(model, every=1, live=False, unfold=paths)
    loss_of(model(**inputs)).backward()
    watched.step(1.0)
    assert watched.network.parameter_count() == sum(one.numel() for one in model.parameters())
    return [layer.op.letters for layer in watched.network.layers]


def test_modules_that_are_unfolded_show_what_they_hold():
    before, behind = ["embed", "attn 2", "MLP"], ["attn 2", "MLP", "lin 61"]

    assert unfolded() == [*before, "attn 2", "MLP", *behind]
    assert unfolded("transformer.h.1.mlp") == [*before, "attn 2", "lin 64", "lin 16", *behind]
    assert unfolded("transformer.h.1.attn") == [*before, "lin 48", "attention", "lin 16", "MLP", *behind]
