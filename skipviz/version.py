"""The version of skipviz, below every room, so that what names it need not import the package's top."""

__version__ = "0.1.0"
