"""Links and exports: an experiment or a run in a form that travels. Imports no torch."""
