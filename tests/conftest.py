"""What all tests share: how hypothesis searches."""

import os

from hypothesis import HealthCheck, settings

# Machines differ in speed, so an example's time says nothing about its correctness.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "local")
