"""The published architectures as the sidebar offers them, one form a file. Imports no streamlit."""

from . import convnext, densenet, fcn, highway, mobilenet, resnet, tabular_resnet, transformer, unet

FORMS = {
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
