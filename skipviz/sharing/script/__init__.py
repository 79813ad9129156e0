"""An experiment as a stand-alone PyTorch script. Imports no torch."""
