"""The published architectures as presets, on the tasks that there are: at those sizes, not at the published ones."""

from __future__ import annotations

from ..network import edit, families
from ..network.network import Network
from .experiment import Experiment, Training
from .preset import Preset
from .task import Task

RESNET = "He et al. 2015, Deep Residual Learning for Image Recognition"
UNET = "Ronneberger et al. 2015, U-Net"
UNET_3D = "Çiçek et al. 2016, 3D U-Net: Learning Dense Volumetric Segmentation from Sparse Annotation"
FCN = "Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation"
TRANSFORMER = "Vaswani et al. 2017, Attention Is All You Need"

FCN_STAGES = ((8, 1), (12, 1), (16, 1), (24, 1), (32, 1))
"""Five stages as in VGG, with a fifteenth of its channels and one convolution each."""
FCN_CLASSIFIER = 32


def _on_digits(network: Network, steps: int = 400, learning_rate: float = 0.001) -> Experiment:
    return Experiment(
        variants={"network": network}, task=Task(name="digits"), training=Training(steps=steps, learning_rate=learning_rate)
    )


def _resnet(depth: int, on: bool = True) -> Experiment:
    return _on_digits(edit.switch_all(families.resnet(depth, input=(1, 8, 8)), on))


def _unet(on: bool) -> Experiment:
    network = families.unet(3, 8, padded=True, norm="batch", input=(1, 32, 32), head=1)
    training = Training(steps=300, batch_size=16, learning_rate=0.003)
    return Experiment(variants={"network": edit.switch_all(network, on)}, task=Task(name="shapes"), training=training)


def _unet_3d() -> Experiment:
    """Return an eighth of the published channels and two of the three down-scalings, for volumes of 16 voxels a side."""
    network = families.unet3d(2, 4, padded=True, input=(1, 16, 16, 16), head=1)
    training = Training(steps=300, batch_size=8, learning_rate=0.01)
    return Experiment(variants={"network": network}, task=Task(name="tubes"), training=training)


def _fcn(variant: str) -> Experiment:
    network = families.fcn(variant, FCN_STAGES, FCN_CLASSIFIER, padded=True, input=(1, 64, 64), head=1)
    task = Task(name="shapes", image_size=64, samples=256)
    return Experiment(variants={"network": network}, task=task, training=Training(steps=400, batch_size=8, learning_rate=0.003))


def _unet_2015() -> Experiment:
    """Return the network of 2015 with a quarter of its channels, on an image whose central 36² pixels it finds."""
    task = Task(name="shapes", image_size=220, samples=128)
    network = families.unet(width=16, input=(1, 220, 220), head=1)
    return Experiment(variants={"network": network}, task=task, training=Training(steps=300, batch_size=2))


def _transformer(norm: str, on: bool = True, depth: int = 4, streams: int = 1) -> Experiment:
    """Return a Transformer that reverses eight tokens."""
    task = Task(name="sequences")
    vocabulary, length = task.token_count(), task.tokens()
    network = families.transformer(
        depth, 32, 4, 64, norm, vocabulary=vocabulary, input=(length,), head=task.head(), streams=streams
    )
    training = Training(steps=400, learning_rate=0.002)
    return Experiment(variants={"network": edit.switch_all(network, on)}, task=task, training=training)


def _seq2seq() -> Experiment:
    task = Task(name="seq2seq")
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    network = families.transformer(2, 32, 4, 64, causal=True, encoder=2, source=task.tokens(), **reads)
    return Experiment(variants={"network": network}, task=task, training=Training(steps=600, learning_rate=0.002))


def _tcn() -> Experiment:
    task = Task(name="memory")
    network = families.tcn(8, 32, 2, vocabulary=task.token_count(), input=task.input_for(False), head=task.head())
    return Experiment(variants={"network": network}, task=task, training=Training(steps=300, batch_size=32, learning_rate=0.003))


def _writer() -> Experiment:
    task = Task(name="text")
    network = families.transformer(
        2, 32, 4, 64, "pre", causal=True, vocabulary=task.token_count(), input=task.input_for(False), head=task.head()
    )
    return Experiment(variants={"network": network}, task=task, training=Training(steps=1000, batch_size=32, learning_rate=0.003))


def _membranes() -> Experiment:
    network = families.unet(2, 8, padded=True, norm="batch", input=(1, 32, 32), head=1)
    training = Training(steps=300, batch_size=16, learning_rate=0.003)
    return Experiment(variants={"network": network}, task=Task(name="membranes"), training=training)


PUBLISHED = (
    Preset(
        "resnet-20-cifar",
        "ResNet-20, on digits",
        "Start it, then start Plain, 20 layers, for comparison.",
        "With 20 layers the plain network learns as well, only later: depth is no hindrance yet.",
        RESNET,
        lambda: _resnet(20),
    ),
    Preset(
        "resnet-56-cifar",
        "ResNet-56, on digits",
        "Start it and let it take sixty steps; do the same with Plain, 56 layers.",
        "After them it reads nine digits of ten, and the plain one still guesses.",
        RESNET,
        lambda: _resnet(56),
    ),
    Preset(
        "resnet-110-cifar",
        "ResNet-110, on digits",
        "Look at the bars, then switch all skips off.",
        "The gradient of 110 layers is even; without skips batch norm makes it grow from layer to layer, back to the input.",
        RESNET,
        lambda: _resnet(110),
    ),
    Preset(
        "plain-20-cifar",
        "Plain, 20 layers, on digits",
        "Start it, then switch all skips on.",
        "It learns without its skips too, more slowly than with them.",
        RESNET,
        lambda: _resnet(20, on=False),
    ),
    Preset(
        "plain-56-cifar",
        "Plain, 56 layers, on digits",
        "Look at the bars, then switch all skips on.",
        "The first layer's gradient, hundreds of times the last's through batch norm, falls to about the same.",
        RESNET,
        lambda: _resnet(56, on=False),
    ),
    Preset(
        "unet-2015",
        "U-Net of 2015, a quarter of its channels",
        "Follow a long skip from the left of the network to the crop at its end, then start it.",
        "Convolutions without padding take the rim off at every scale: of 220 pixels a side 36 are found.",
        UNET,
        _unet_2015,
    ),
    Preset(
        "unet-shapes",
        "U-Net, on shapes",
        "Start it, wait for clear masks, then switch all skips off.",
        "The masks fall apart: what pooling left out came back through the skips only.",
        UNET,
        lambda: _unet(on=True),
    ),
    Preset(
        "unet-no-skips",
        "U-Net without its skips, on shapes",
        "Start it, wait until the masks stay as they are, then switch all skips on.",
        "The blurred masks get sharp edges.",
        UNET,
        lambda: _unet(on=False),
    ),
    Preset(
        "unet-3d",
        "3-D U-Net, on tubes in volumes",
        "Start it, wait for clear masks, then switch all skips off.",
        "Nearly all of the tubes are lost at once: what pooling left out came back through the skips only.",
        UNET_3D,
        _unet_3d,
    ),
    Preset(
        "unet-membranes",
        "U-Net, on membranes",
        "Start it, wait for clear membranes, then switch the long skips off.",
        "Within 150 steps it traces the membranes; without the long skips they blur, and a third of its overlap is lost.",
        UNET,
        _membranes,
    ),
    Preset(
        "fcn-32s",
        "FCN-32s, on shapes",
        "Look at the bars, then start it.",
        "At first only the scores have a gradient, for they start at zero; the masks stay coarse.",
        FCN,
        lambda: _fcn("32s"),
    ),
    Preset(
        "fcn-16s",
        "FCN-16s, on shapes",
        "Start it and compare its masks with those of FCN-32s.",
        "Scores of half the stride join, and the masks get finer.",
        FCN,
        lambda: _fcn("16s"),
    ),
    Preset(
        "fcn-8s",
        "FCN-8s, on shapes",
        "Start it, wait for clear masks, then switch the skip from the third pool off.",
        "With scores of a quarter of the stride the masks are the finest of the three; without them hardly anything is left.",
        FCN,
        lambda: _fcn("8s"),
    ),
    Preset(
        "transformer-post-ln",
        "Transformer, Post-LN, reverses sequences",
        "Start it and watch who attends to whom.",
        "Within two hundred steps each position looks at its mirror image, and every sequence is exact.",
        TRANSFORMER,
        lambda: _transformer("post"),
    ),
    Preset(
        "transformer-pre-ln",
        "Transformer, Pre-LN, reverses sequences",
        "Start it and compare its gradients with those of Post-LN.",
        "With the norm inside the branches the skips lead from the input to the last norm, and nothing stands in their way.",
        "Xiong et al. 2020, On Layer Normalization in the Transformer Architecture",
        lambda: _transformer("pre"),
    ),
    Preset(
        "transformer-no-residual",
        "Transformer without residuals",
        "Start it, wait two hundred steps, then switch all skips on.",
        "Attention alone makes all positions alike, and no sequence is ever right; with its residuals it learns "
        "within a hundred steps.",
        "Dong et al. 2021, Attention Is Not All You Need",
        lambda: _transformer("post", on=False),
    ),
    Preset(
        "transformer-streams",
        "Transformer, four residual streams, reverses sequences",
        "Start it and watch the grid at each skip.",
        "Four streams begin as equals that keep to themselves; within two hundred steps each skip mixes them in its own way, and "
        "every sequence is exact.",
        "Zhu et al. 2024, Hyper-Connections",
        lambda: _transformer("pre", depth=3, streams=4),
    ),
    Preset(
        "transformer-text",
        "Transformer, writes after Alice in Wonderland",
        "Start it and read what it writes.",
        "Noise turns into words: after two hundred steps every third character of pages it has never seen is predicted right.",
        TRANSFORMER,
        _writer,
    ),
    Preset(
        "transformer-seq2seq",
        "Transformer, encoder and decoder, reverses a source",
        "Start it and let it take three hundred steps; then switch both skips from the encoder off.",
        "The decoder says the source backwards, no token wrong, from what the encoder tells it; without those skips it guesses "
        "every token.",
        TRANSFORMER,
        _seq2seq,
    ),
    Preset(
        "vit-digits",
        "Vision Transformer, 4 blocks, on digits",
        "Start it; start it again with all skips off.",
        "The head reads one position, which has to ask the sixteen patches: within two hundred steps it tells eight of ten digits "
        "right; without its skips it never learns any.",
        "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words",
        lambda: _on_digits(families.vit(4, 32, 4, 2, 64, input=(1, 8, 8), head=10), learning_rate=0.003),
    ),
    Preset(
        "tcn-memory",
        "TCN, 8 blocks, copy memory",
        "Start it; start it again with all skips off.",
        "After a hundred steps it says every token again that it read long before; without its skips not one sequence is right "
        "after two hundred.",
        "Bai et al. 2018, An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling",
        _tcn,
    ),
    Preset(
        "densenet-bc",
        "DenseNet-BC, 40 layers, on digits",
        "Start it and click a skip to see what it carries.",
        "Every layer of a block reads all states before it; it reads digits within sixty steps.",
        "Huang et al. 2017, Densely Connected Convolutional Networks",
        lambda: _on_digits(families.densenet(40, input=(1, 8, 8))),
    ),
    Preset(
        "highway-50",
        "Highway network, 50 layers, on digits",
        "Start it; start it again with all skips off.",
        "Gates that begin by carrying let fifty layers learn; without them they do not.",
        "Srivastava et al. 2015, Highway Networks",
        lambda: _on_digits(families.highway(init="torch"), learning_rate=0.003),
    ),
    Preset(
        "rezero-200",
        "ReZero, 200 layers, on digits",
        "Look at the bars, then start it.",
        "At step 0 no layer has a gradient, only its scale; within five epochs 200 layers read digits.",
        "Bachlechner et al. 2020, ReZero Is All You Need",
        lambda: _on_digits(families.mlp(200, 64, 1, scale="rezero", input=(64,), head=10)),
    ),
)
