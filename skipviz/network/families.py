"""Families of networks: from a few numbers to a whole `Network`."""

from .family.resnet import resnet
from .family.stack import conv, mlp
from .family.transformer import transformer
from .family.unet import unet

__all__ = ["conv", "mlp", "resnet", "transformer", "unet"]
