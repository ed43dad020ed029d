"""The versions of what makes a sweep's numbers: with the same ones one machine gives the same bytes."""

from __future__ import annotations

import sys
from importlib.metadata import version

_PACKAGES = {"numpy": ("numpy", "scipy"), "fast": ("numpy", "scipy", "numba", "llvmlite")}


def versions(engine: str) -> dict[str, str]:
    """Return the versions of gdsim and of the packages that an engine's numbers come from.

    >>> list(versions("numpy"))
    ['gdsim', 'numpy', 'scipy']
    """
    own = str(sys.modules["gdsim"].__version__)  # a floor imports nothing from above it
    return {"gdsim": own, **{name: version(name) for name in _PACKAGES[engine]}}
