"""The families as the sidebar offers them, plain stacks and published architectures, one form a file. Imports no streamlit."""

from . import convnext, densenet, fcn, highway, mobilenet, resnet, stack, tabular_resnet, transformer, unet

FORMS = {
    "mlp": stack.MLP,
    "conv": stack.CONV,
    "resnet": resnet.FORM,
    "unet": unet.FORM,
    "fcn": fcn.FORM,
    "transformer": transformer.FORM,
    "densenet": densenet.FORM,
    "mobilenet": mobilenet.FORM,
    "convnext": convnext.FORM,
    "tabular_resnet": tabular_resnet.FORM,
    "highway": highway.FORM,
}
