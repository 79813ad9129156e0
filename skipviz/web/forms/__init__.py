"""The published architectures as the sidebar offers them, one form a file. Imports no streamlit."""

from . import convnext, densenet, fcn, highway, mobilenet, resnet, transformer, unet

FORMS = {
    "resnet": resnet.FORM,
    "unet": unet.FORM,
    "fcn": fcn.FORM,
    "transformer": transformer.FORM,
    "densenet": densenet.FORM,
    "mobilenet": mobilenet.FORM,
    "convnext": convnext.FORM,
    "highway": highway.FORM,
}
