"""Sequence to sequence: a task of two inputs, trained by both halves of a Transformer, each of which reads one."""

import base64

import numpy as np
import pytest
import torch
from engines import frames_of, wait_for_end
from scripts import check, short
from torch import nn

import skipviz
from skipviz import Experiment, NetworkError, Task, Training, edit, families, link
from skipviz.drawing.diagram import draw
from skipviz.learning.build import build
from skipviz.learning.operation.attention import attention_weights
from skipviz.learning.trainer import Trainer
from skipviz.network.branch import token_edges
from skipviz.sharing.table import table
from skipviz.tasks.data import dataset
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.forms.architecture import usual, with_task, with_values
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.forms.form_values import usual_values
from skipviz.tasks.suggested_fix import fitted

TASK = Task(name="seq2seq", samples=200, length=5, vocabulary=6)


def network(task: Task = TASK, depth: int = 1, norm: str = "post", **options):
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head(), "source": task.tokens()}
    return families.transformer(depth, 8, 2, 12, norm, **({"causal": True, "encoder": depth} | reads | options))


def crosses(net) -> tuple[str, ...]:
    return tuple(skip.id for skip in net.skips if skip.merge == "attend")


def run_of(net, task: Task = TASK, **training) -> Experiment:
    return Experiment(variants={"net": net}, task=task, training=Training(batch_size=16, **training))


@pytest.mark.parametrize("rule", ["copy", "reverse", "sort", "add"])
def test_a_sample_is_what_is_said_so_far_and_the_source_and_what_is_told_is_the_rules(rule):
    task = TASK.replaced(rule=rule)
    data = dataset(task)
    said, source = np.split(data.x, 2, axis=1)
    made = {"copy": source, "reverse": source[:, ::-1], "sort": np.sort(source, 1), "add": (source + np.roll(source, 1, 1)) % 6}
    assert np.array_equal(data.y, made[rule])
    assert (said[:, 0] == 6).all()
    assert np.array_equal(said[:, 1:], data.y[:, :-1])
    assert task.token_count() == 7
    assert source.max() < 6
    sources = {tuple(row) for part in (data.x, data.held_out_x) for row in part[:, 5:]}
    assert len(sources) == 200


def theirs(model) -> nn.Module:
    """Return torch's own Transformer with the weights of one of a block in each half, Post-LN."""
    made = nn.Transformer(8, 2, 1, 1, 12, dropout=0.0, batch_first=True)
    made.encoder.norm = made.decoder.norm = None
    net, boxes = model.network, [*model.layers, *model.branches]
    attentions = {id(box): box.operation for box in boxes if hasattr(box.operation, "out_weight")}
    (decoder,) = (one for box in model.layers if (one := attentions.get(id(box))))
    (encoder,) = (one for box in model.branches if (one := attentions.get(id(box))))
    (cross,) = (model.skips[name].attention for name in crosses(net))
    layers = made.encoder.layers[0], made.decoder.layers[0]
    pairs = [(layers[0].self_attn, encoder), (layers[1].self_attn, decoder), (layers[1].multihead_attn, cross)]
    with torch.no_grad():
        for left, right in pairs:
            parts = left.in_proj_weight, left.in_proj_bias, left.out_proj.weight, left.out_proj.bias
            for one, other in zip(parts, (right.weight, right.bias, right.out_weight, right.out_bias), strict=True):
                one.copy_(other)
        for layer, side in zip(layers, (model.branches, model.layers), strict=True):
            linears = [box.operation for box in side if {*box.operation._parameters} == {"weight", "bias"}]
            for mine, linear in zip(linears, (layer.linear1, layer.linear2), strict=True):
                linear.load_state_dict({name: value for name, value in mine.state_dict().items() if name in ("weight", "bias")})
    return made


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_the_encoder_reads_the_source_and_the_decoder_what_was_said_as_torchs_own_do():
    model = build(network())
    x = torch.from_numpy(dataset(TASK).x[:4])
    said, source = x.split(5, dim=1)
    place, pair = torch.arange(5)[:, None], torch.arange(8) // 2 * 2
    angle = place / 10000 ** (pair / 8)
    positions = torch.where(torch.arange(8) % 2 == 0, angle.sin(), angle.cos())
    embeddings = [model.layers[0].operation.weight, model.layer_of("encoder.embedding").operation.weight]
    embedded = [weight[tokens] * 8**0.5 + positions for weight, tokens in zip(embeddings, (said, source), strict=True)]
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    wanted = model.head(theirs(model)(embedded[1], embedded[0], tgt_mask=mask))
    torch.testing.assert_close(model(x), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model(said, source), model(x), rtol=0, atol=0)


def test_a_position_sees_what_was_said_up_to_it_and_all_of_the_source():
    model, x = build(network(depth=2)), torch.from_numpy(dataset(TASK).x[:1])
    with torch.no_grad():
        for place in range(10):
            other = x.clone()
            other[0, place] = (x[0, place] + 1) % 6
            changed = (model(other) != model(x)).any(2)[0]
            assert changed.tolist() == [place >= 5 or position >= place for position in range(5)]


def test_it_learns_the_rule_from_the_source_and_without_the_attention_to_it_stays_at_chance():
    """Sources are drawn token by token, so what was said tells nothing of what comes next: a loss of ln 6 is the least."""
    task = Task(name="seq2seq", samples=600, length=4, vocabulary=6)
    net = families.transformer(
        1, 32, 4, 64, causal=True, encoder=1, source=4, vocabulary=7, input=task.sample_shape(), head=task.head()
    )
    bare = edit.set_skips(net, crosses(net), on=False)
    training = Training(steps=250, learning_rate=0.005, record_every=249)
    *_, last = skipviz.train(Experiment(variants={"reads": net, "alone": bare}, task=task, training=training))
    assert last.variants["reads"].held_out > 0.95
    assert last.variants["alone"].held_out < 0.05
    assert last.variants["alone"].loss > 1.5


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_it_trains_bit_for_bit_as_its_script_does_while_an_attention_to_the_source_is_off(norm):
    net = network(depth=2, norm=norm)
    run = short(run_of(net, optimizer="adamw", weight_decay=0.1))
    check(run, [SkipEvent(ids=crosses(net)[1:], on=False, step=2), SkipEvent(ids=crosses(net)[1:], on=True, strength=0.5, step=5)])


def test_a_frame_measures_every_part_but_tokens_which_have_no_gradient():
    net = network(depth=2)
    frame = next(iter(skipviz.train(run_of(net)))).variants["net"]
    tokens = token_edges(net)
    assert tokens == {net.edges[0].id}
    assert [edge.id for edge, value in zip(net.edges, frame.edge_grad, strict=True) if value is None] == [*tokens]
    assert frame.state_grad[0] is frame.trunk_grad[0] is None
    assert frame.branch_state_grad[0] > 0
    assert all(frame.skip_grad)
    assert all(frame.branch_grad[k] for k, node in enumerate(net.branches) if node.op.kind in ("embedding", "attention", "linear"))


def test_gradients_at_the_encoders_embedding_sum_to_finite_differences():
    model = build(network()).double()
    x = torch.from_numpy(dataset(TASK).x[:3])
    weight = model.layer_of("encoder.embedding").operation.weight
    (found,) = torch.autograd.grad(model(x).sin().sum(), weight)
    token, step = x[0, 5].item(), 1e-6
    with torch.no_grad():
        values = []
        for sign in (1, -1):
            weight[token, 2] += sign * step
            values.append(model(x).sin().sum())
            weight[token, 2] -= sign * step
    assert found[token, 2].item() == pytest.approx(((values[0] - values[1]) / (2 * step)).item(), rel=1e-5)


def test_a_checkpoint_goes_on_bit_for_bit():
    trainer = Trainer(run_of(network(), steps=8, record_every=1))
    for _ in range(3):
        trainer.advance(record=True)
    again = Trainer(run_of(network(), steps=8, record_every=1))
    again.load_state(trainer.state_bytes())
    losses = [[one.advance(record=True).variants["net"].loss for _ in range(3)] for one in (trainer, again)]
    assert losses[0] == losses[1]


def test_it_travels_in_a_link_and_is_drawn_with_its_source():
    run = run_of(network())
    assert link.decode(link.encode(run)) == run
    end = run.network.skip(crosses(run.network)[0]).via
    assert ">source ↑<" in draw(run.network).svg
    for unfolded in (set(), {end}):
        assert "source→encoder ⇕" in draw(run.network, unfolded=unfolded, layers=False).svg


@pytest.mark.parametrize("off", [False, True])
def test_the_picture_shows_source_target_and_prediction_and_where_the_decoder_looks_in_the_source(off):
    net = network(depth=2)
    trainer = Trainer(run_of(edit.set_skips(net, crosses(net), on=False) if off else net))
    picture = trainer.measure().variants["net"].picture
    held_out = dataset(TASK).held_out_x[:3]
    assert picture["given"] == held_out[:, 5:].tolist()
    assert picture["truth"] == held_out[:, 9:4:-1].tolist()
    variant = trainer._variants["net"]
    assert variant.evaluate(torch.from_numpy(held_out)).argmax(2).tolist() == picture["predicted"]
    assert picture["source"] is True
    weights = np.frombuffer(base64.b64decode(picture["attention"]), np.uint8).reshape(2, 5, 5) / 255
    assert np.abs(weights.sum(2) - 1).max() < 0.02
    if off:
        assert np.triu(weights, 1).max() == 0  # what was said, by the decoder's own attention
        return
    assert picture["layer"] == crosses(net)[-1]
    seen = []
    attention = variant.model.skips[picture["layer"]].attention
    read = attention.read
    attention.read = lambda *states: seen.append(read(*states)) or seen[-1]
    variant._plans = {}
    variant.evaluate(torch.from_numpy(held_out[:1]))
    looks = attention_weights(*seen[-1][:2], attention.causal)
    assert np.abs(looks[0].detach().numpy() - weights).max() < 0.003


def test_what_does_not_read_both_or_looks_ahead_is_refused_with_a_sentence():
    alone = network(encoder=0, source=0)
    same = network(source=0)
    ahead = edit.set_skips(network(), crosses(network()), causal=False)
    assert "gives the input and source (5), and this network reads the input alone" in TASK.mismatch(alone)
    assert "this network reads the input alone" in TASK.mismatch(same)
    assert TASK.mismatch(ahead) is None
    assert "gives the input alone, and this network reads the input and source (5)" in Task(name="text", length=5).mismatch(
        network().replaced(head=Task(name="text").head()),
    )
    assert "has 7 different tokens and the network knows 6" in TASK.mismatch(
        edit.set_layer(network(), "encoder.embedding", op=network().branches[0].op.replaced(vocabulary=6))
    )
    read = network()
    leak = [edge.replaced(source="f2") if edge.source == "encoder.positions" else edge for edge in read.edges]
    assert "encoder.1.0.0 sees what comes after" in TASK.mismatch(read.replaced(edges=leak))
    assert "s1-5 sees what comes after" in TASK.mismatch(edit.add_skip(read, 1, 5, merge="attend", heads=2))
    assert "every attention has to be causal" in TASK.mismatch(network(causal=False))


def test_the_edge_that_brings_tokens_is_nothing_to_switch():
    net = network()
    with pytest.raises(NetworkError, match="brings tokens, which nothing switches"):
        edit.set_skips(net, token_edges(net), strength=0.5)
    with pytest.raises(NetworkError, match="brings tokens, which nothing switches"):
        net.replaced(edges=[edge.replaced(gain=0.5) if edge.id in token_edges(net) else edge for edge in net.edges])
    with pytest.raises(NetworkError, match="which one embedding reads"):
        net.replaced(edges=[edge.replaced(source="source") if edge.source == "encoder.positions" else edge for edge in net.edges])


@pytest.mark.parametrize("options", [{"encoder": 0}, {"vocabulary": None, "input": (5, 8)}])
def test_a_source_needs_tokens_and_an_encoder(options):
    with pytest.raises(NetworkError, match="a source is tokens for an encoder"):
        network(**options)


def test_a_network_follows_to_longer_sources_of_more_tokens():
    other = Task(name="seq2seq", length=9, vocabulary=20)
    made = fitted(network(), other)
    assert other.mismatch(made) is None
    assert made == network(other)


def test_the_form_gives_an_encoder_where_there_is_a_source_and_takes_it_away_again():
    values = usual_values("transformer", TASK)
    made = with_values(run_of(network()), values, TASK, keep=False)
    assert (values.settings()["encoder"], values.settings()["causal"]) == (2, "on")
    assert made.network.further == {"source": (5,)}
    back = with_task(made, recognised(made), Task(name="sequences")).network
    assert not back.branches


def test_any_task_is_followed_by_the_one_with_a_source_in_the_lab():
    before = usual(Task(name="spiral"), Training())
    made = with_task(before, recognised(before), TASK)
    assert made.network.further == {"source": (5,)}
    assert recognised(made).family == "transformer"


def test_a_run_of_it_is_kept_and_read_back_as_a_table(engine):
    """What was kept of it holds no gradient of the tokens' edge and one of every other in force."""
    run = wait_for_end(engine, engine.run(engine.submit(run_of(network(), steps=6, record_every=1), "me")))
    assert run.state == "finished"
    rows = table(run.experiment, frames_of(run))
    edges = rows[(rows["part"] == "edge") & (rows["step"] == 5)]
    assert edges["edge_grad"].isna().tolist() == [True] + [False] * (len(edges) - 1)
