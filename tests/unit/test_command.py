"""The command line: what a person types, what is printed and written, and what is refused with status 2."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pandas
import pytest

import skipviz
from skipviz import Experiment, Training, families, link, presets
from skipviz.command import main
from skipviz.description import described

ROOT = Path(__file__).resolve().parents[2]


def refused(arguments: list[str], capsys) -> str:
    """Return the one sentence on the error stream of a command that ends with status 2."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_presets_lists_every_name_with_its_title_and_what_to_do(capsys):
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(presets.names())
    for name, line in zip(presets.names(), lines, strict=True):
        assert line.endswith(f"  {presets.preset(name).title}. {presets.preset(name).do}")


def test_describe_prints_shapes_and_exact_counts(capsys):
    assert main(["describe", "figure-4-9-center"]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert ["f(5)", "f5", "up", "12", "×2,", "ReLU", "32×16×16", "12×32×32", "3,468"] in rows
    assert ["1", "→", "5", "s1", "concat", "1", "–", "12×32×32", "0"] in rows
    assert "parameters: layers 14,888 + skips 0 + head 13 = 14,901" in printed


@pytest.mark.parametrize("name", presets.names())
def test_the_total_that_is_described_is_the_networks_own(name):
    network = presets.get(name).network
    assert f"= {network.parameter_count():,}" in described(presets.get(name))


def test_describe_says_how_many_paths_lead_through_a_network_with_skips_and_how_long_they_are():
    residual, deep, plain = map(presets.get, ("vanishing-residual", "resnet-110-cifar", "vanishing-plain"))
    assert described(residual).endswith(
        "\npaths: 2,048 from input to output, through 2 to 24 layers, half of them through at most 12"
    )
    assert "paths: about 10^16 from input" in described(deep)  # 2^54
    assert "paths:" not in described(plain)


def test_describe_says_what_is_out_of_the_ordinary():
    network = families.mlp(depth=4, width=8, skip_every=2, norm="batch", order="norm-act-op", input=(8,))
    changed = network.layers[1].replaced(gain=0.0, scale=0.5, scale_learned=True, on=False)
    skip = network.skips[0].replaced(on=False)
    network = network.replaced(layers=(network.layers[0], changed, *network.layers[2:]), skips=(skip, *network.skips[1:]))
    printed = described(Experiment(variants={"a": network.replaced(input=(2,))}))
    assert "batch norm, ReLU, linear 8, ×0.5 learned, gradient ×0 (off)" in printed
    assert "2 skips (1 off)" in printed


def test_link_prints_a_text_that_opens_the_same_experiment(capsys):
    assert main(["link", "figure-4-9-left"]) == 0
    assert link.decode(capsys.readouterr().out.strip()) == presets.get("figure-4-9-left")


def test_a_preset_a_file_a_link_and_an_address_name_the_same_experiment(tmp_path, capsys):
    file = tmp_path / "mine.json"
    file.write_text(presets.get("digits-conv").to_json())
    text = link.encode(presets.get("digits-conv"))
    for name in ("digits-conv", str(file), text, f"https://lab.example/?x={text}"):
        assert main(["link", name]) == 0
        assert capsys.readouterr().out.strip() == text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet", "'resnet' is no preset, JSON file or link; the presets are vanishing-plain"),
        ("missing.json", "there is no file missing.json"),
        ("1.abcd", "this link is damaged"),
        ("https://lab.example/?x=1.abcd", "this link is damaged"),
        ("https://lab.example/", "does not begin with '2.'"),
        ("\x00", "is no preset"),
        ("x" * 5000, "is no preset"),
    ],
)
def test_a_name_of_nothing_is_refused(name, words, capsys):
    assert words in refused(["describe", name], capsys)


def test_a_file_that_is_no_experiment_is_refused_by_its_name_and_field(tmp_path, capsys):
    file = tmp_path / "bad.json"
    file.write_text('{"variants":{"a":{"layers":[{"op":{"kind":"linear","width":0}}]}}}')
    sentence = refused(["describe", str(file)], capsys)
    assert "bad.json: variants.a.layers.0.op.linear.width: " in sentence


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_train_writes_the_table_of_its_frames(tmp_path, capsys, suffix):
    out = tmp_path / f"run{suffix}"
    assert main(["train", "figure-4-9-right", "--steps", "3", "--out", str(out)]) == 0
    rows = pandas.read_parquet(out) if suffix == ".parquet" else pandas.read_csv(out)
    assert sorted(set(rows.step)) == [0, 1, 2]
    layers = rows[(rows.step == 2) & (rows.part == "layer")]
    assert list(layers.id) == [layer.id for layer in presets.get("figure-4-9-right").network.layers]
    assert (layers.weight_grad > 0).all()
    assert (rows[rows.part == "state"].state_rms > 0).sum() == 3 * 25
    printed = capsys.readouterr()
    assert printed.out.startswith("right: step 2, loss ")
    assert "3/3" in printed.err


def test_draw_writes_a_network_as_a_picture_that_stands_alone(tmp_path):
    still, moved = tmp_path / "still.svg", tmp_path / "moved.svg"
    assert main(["draw", "figure-4-9-right", "--out", str(still)]) == 0
    assert main(["draw", "figure-4-9-right", "--gradient", "--dark", "--out", str(moved)]) == 0
    layers = {layer.id for layer in presets.get("figure-4-9-right").network.layers}
    bands = []
    for path in (still, moved):
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert layers <= {node.get("data-layer") for node in root.iter()}
        assert "--sv-card" in next(root.iter("{http://www.w3.org/2000/svg}style")).text
        bands.append([node.get("style") for node in root.iter() if node.get("class") == "band"])
    assert set(bands[0]) == {None}
    assert all("stroke-width" in style for style in bands[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--out", "net.png"], "--out names an .svg file, not "), (["--out", "a.svg", "--variant", "b"], "there is no network 'b'")],
)
def test_a_network_that_cannot_be_drawn_is_refused(arguments, words, capsys):
    assert words in refused(["draw", "figure-4-9-right", *arguments], capsys)


def test_train_says_where_a_network_diverged(tmp_path, capsys):
    training = Training(optimizer="sgd", learning_rate=10, steps=50)
    network = families.mlp(depth=20, skip_every=2, init="he")
    file = tmp_path / "wild.json"
    file.write_text(Experiment(variants={"wild": network}, training=training).to_json())
    assert main(["train", str(file), "--out", str(tmp_path / "run.csv")]) == 0
    last = list(skipviz.train(Experiment(variants={"wild": network}, training=training)))[-1]
    place = network.place(last.variants["wild"].first_broken)
    assert capsys.readouterr().out.startswith(f"wild: diverged at step {last.step}, first at {place}\n")


@pytest.mark.parametrize(
    ("out", "words"), [("run.txt", "--out names a .parquet or .csv file, not "), ("nowhere/run.csv", "there is no folder ")]
)
def test_a_file_that_cannot_be_written_is_refused_before_training(tmp_path, capsys, out, words):
    assert words in refused(["train", "figure-4-9-right", "--out", str(tmp_path / out)], capsys)


def test_steps_over_the_limit_are_refused(tmp_path, capsys):
    out = str(tmp_path / "run.csv")
    assert "steps: " in refused(["train", "digits-conv", "--steps", "10000000", "--out", out], capsys)


@pytest.mark.parametrize("arguments", [[], ["paint"], ["describe"], ["train", "digits-conv"], ["train", "x", "--steps", "0"]])
def test_a_command_with_wrong_arguments_ends_with_status_two_and_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m skipviz" in capsys.readouterr().err


def test_the_module_is_the_command():
    ran = subprocess.run([sys.executable, "-m", "skipviz", "describe", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("skipviz: 'nothing' is no preset")


def test_code_prints_a_script_that_imports_no_skipviz(capsys):
    assert main(["code", "vanishing-residual"]) == 0
    printed = capsys.readouterr().out
    compile(printed, "script.py", "exec")
    assert "h3 = self.f3(h2) + h1" in printed
    assert "import skipviz" not in printed
