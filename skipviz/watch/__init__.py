"""Anybody's torch module: its forward pass captured as it runs, as a network with the gradient of every edge."""
