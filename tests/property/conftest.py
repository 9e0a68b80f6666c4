"""No deadline for one example: the machine that runs them may be busy with something else."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("roadstead", deadline=None)
settings.load_profile("roadstead")
