"""Data sets, tasks and experiments. numpy only (scikit-learn inside functions)."""
