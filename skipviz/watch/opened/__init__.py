"""A person's own module in the lab: loaded from their file, switched at its skips, trained as the lab's networks are."""
