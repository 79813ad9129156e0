"""A Ray cluster of several nodes on this machine, on its loopback address only."""

from __future__ import annotations

import inspect
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import ports

HELPERS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")
"""Ports of a helper of each node that a Ray without its dashboard has none of: its file says -1."""
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the loopback address stands for itself
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_worker_niceness": "0",  # else they stand back behind the tests that compute, which run beside these
    "RAY_health_check_period_ms": "500",  # a node that is gone refuses at once, one that is slow has its usual ten seconds
}


class RayCluster:
    """Nodes with so many cores each; the first is the head, which nobody ends."""

    def __init__(self, *cores: float, memory_mb: int = 2000, gpus: float = 0) -> None:
        self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # a socket's path is short
        os.environ.update(ENVIRONMENT, RAY_TMPDIR=self._folder)
        from ray.cluster_utils import Cluster

        _spare_the_wait_for_helpers()
        Path(self._folder, "ray").mkdir()
        self.data_dir = Path(self._folder, "data")
        """What the nodes have for a data folder, in which nobody of theirs has anything to do."""
        self._cluster, self.memory_mb, self._gpus = Cluster(), memory_mb, gpus
        self.nodes = [self.add(one) for one in cores]

    @property
    def address(self) -> str:
        """Where a server finds it."""
        return self._cluster.address

    def add(self, cores: float):
        """Add a node and return it; its `node_id` is its name."""
        helpers = {name: ports.free_port() for name in (*HELPERS, "runtime_env_agent_port")}
        with patch.dict(os.environ, SKIPVIZ_DATA_DIR=str(self.data_dir)):
            return self._cluster.add_node(
                num_cpus=cores,
                num_gpus=self._gpus,
                memory=self.memory_mb * 2**20,
                object_store_memory=80_000_000,
                include_dashboard=False,
                node_ip_address="127.0.0.1",
                **helpers,
            )

    def free(self, resource: str) -> float:
        """Return what is free of a resource on all nodes, as Ray counts."""
        import ray

        if not ray.is_initialized():
            ray.init(self.address, logging_level="ERROR", log_to_driver=False)
        return ray.available_resources().get(resource, 0.0)

    def kill(self, node) -> None:
        """End a node's raylet with SIGKILL, as a machine goes that loses its power; all that it started goes with it."""
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        """End every node."""
        import ray

        ray.shutdown()
        self._cluster.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)


def _spare_the_wait_for_helpers() -> None:
    """Write down for a node what its helper would write: Ray gives up a node whose helper takes over 15 s to start, and on a
    busy machine it does."""
    from ray._private import services

    start = services.start_raylet
    if hasattr(start, "spares"):
        return
    names = inspect.signature(start)

    def start_raylet(*arguments, **options):
        given = names.bind(*arguments, **options).arguments
        told = {**dict.fromkeys(HELPERS, -1), "runtime_env_agent_port": given["runtime_env_agent_port"]}
        for name, port in told.items():
            Path(given["session_dir"], f"{name}_{given['node_id']}").write_text(str(port))
        return start(*arguments, **options)

    start_raylet.spares = True
    services.start_raylet = start_raylet
