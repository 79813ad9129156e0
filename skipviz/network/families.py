"""Families of networks: from a few numbers to a whole `Network`."""

from .family.convnext import convnext
from .family.densenet import densenet
from .family.fcn import fcn
from .family.highway import highway
from .family.mobilenet import mobilenet
from .family.resnet import resnet
from .family.resnet_unet import resnet_unet
from .family.stack import conv, mlp
from .family.tabular_resnet import tabular_resnet
from .family.tcn import tcn
from .family.transformer import transformer
from .family.unet import unet, unet3d
from .family.vit import vit
from .family.wavenet import wavenet

__all__ = [
    "conv",
    "convnext",
    "densenet",
    "fcn",
    "highway",
    "mlp",
    "mobilenet",
    "resnet",
    "resnet_unet",
    "tabular_resnet",
    "tcn",
    "transformer",
    "unet",
    "unet3d",
    "vit",
    "wavenet",
]
