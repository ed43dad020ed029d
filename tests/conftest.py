"""Hypothesis draws the same examples in every run, so that the suite is green or red for everybody alike."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "gdsim", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gdsim")
