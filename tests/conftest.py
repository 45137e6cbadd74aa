"""Settings of the whole test suite."""

import pytest
from hypothesis import settings

# Kernels are compiled inside the first example, which says nothing about their speed; and a failure must repeat.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where several processes test, each loop is compiled by one of them, instead of by all at once."""
    worker = getattr(session.config, "workerinput", None)
    if worker is not None:
        from abm.warm_up import load_kernels

        load_kernels(int(worker["workerid"].removeprefix("gw")))
