"""Settings of the whole test suite."""

from hypothesis import settings

# Kernels are compiled inside the first example, which says nothing about their speed; and a failure must repeat.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
