"""The families as the sidebar offers them, plain stacks and published architectures, one form a file."""

from . import (
    convnext,
    densenet,
    fcn,
    highway,
    mobilenet,
    resnet,
    resnet_unet,
    stack,
    tabular_resnet,
    tcn,
    transformer,
    unet,
    vit,
    wavenet,
)

FORMS = {
    "mlp": stack.MLP,
    "conv": stack.CONV,
    "resnet": resnet.FORM,
    "unet": unet.FORM,
    "resnet_unet": resnet_unet.FORM,
    "fcn": fcn.FORM,
    "transformer": transformer.FORM,
    "vit": vit.FORM,
    "tcn": tcn.FORM,
    "wavenet": wavenet.FORM,
    "densenet": densenet.FORM,
    "mobilenet": mobilenet.FORM,
    "convnext": convnext.FORM,
    "tabular_resnet": tabular_resnet.FORM,
    "highway": highway.FORM,
}
