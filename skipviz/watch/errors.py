"""What is said where a module cannot be watched."""


class WatchError(ValueError):
    """A module that cannot be watched, or a step that cannot be measured; its text is one sentence for a person."""
