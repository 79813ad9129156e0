"""What the load tests share: engines in their own process get forked fork servers."""

from fork_servers import warm_fork_servers  # noqa: F401  (a fixture)
