"""Every preset names the paper that its network comes from."""

from skipviz.tasks import presets

RESNET = "He et al. 2015, Deep Residual Learning for Image Recognition"
UNET = "Ronneberger et al. 2015, U-Net"
FCN = "Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation"
TRANSFORMER = "Vaswani et al. 2017, Attention Is All You Need"
SOURCES = {
    "vanishing-plain": RESNET,
    "vanishing-residual": RESNET,
    "curve-plain": RESNET,
    "residual-300": RESNET,
    "residual-unscaled": "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function",
    "figure-4-9-left": "Fleuret, The Little Book of Deep Learning, section 4.7",
    "figure-4-9-center": UNET,
    "figure-4-9-right": RESNET,
    "digits-conv": RESNET,
    "resnet-20-cifar": RESNET,
    "resnet-56-cifar": RESNET,
    "resnet-110-cifar": RESNET,
    "plain-20-cifar": RESNET,
    "plain-56-cifar": RESNET,
    "unet-2015": UNET,
    "unet-shapes": UNET,
    "unet-no-skips": UNET,
    "unet-membranes": UNET,
    "unet-3d": "Çiçek et al. 2016, 3D U-Net: Learning Dense Volumetric Segmentation from Sparse Annotation",
    "fcn-32s": FCN,
    "fcn-16s": FCN,
    "fcn-8s": FCN,
    "transformer-post-ln": TRANSFORMER,
    "transformer-pre-ln": "Xiong et al. 2020, On Layer Normalization in the Transformer Architecture",
    "transformer-no-residual": "Dong et al. 2021, Attention Is Not All You Need",
    "transformer-streams": "Zhu et al. 2024, Hyper-Connections",
    "transformer-text": TRANSFORMER,
    "transformer-seq2seq": TRANSFORMER,
    "vit-digits": "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words",
    "tcn-memory": "Bai et al. 2018, An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling",
    "densenet-bc": "Huang et al. 2017, Densely Connected Convolutional Networks",
    "highway-50": "Srivastava et al. 2015, Highway Networks",
    "rezero-200": "Bachlechner et al. 2020, ReZero Is All You Need",
}


def test_every_preset_names_its_paper():
    assert {name: presets.preset(name).source for name in presets.names()} == SOURCES
