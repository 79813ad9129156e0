"""One family of published networks a file; `skipviz.network.families` is what others import."""
