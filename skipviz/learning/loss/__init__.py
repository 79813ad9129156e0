"""The losses that torch has not, as functions of outputs and truth; scripts have their sources as they stand."""
