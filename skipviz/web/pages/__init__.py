"""One page a file, and how the lab is opened: they put the parts together and hold no logic of their own."""
