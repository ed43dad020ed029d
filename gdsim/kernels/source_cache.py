"""Generated source as a real module in a cache folder, where Numba keeps what it compiled.

Numba finds compiled code again only for functions that stand in a file. The file's name is a digest of its
text, of the versions that compile it and of the processor, so that it never changes; its time is fixed, since
Numba compares it. A folder that cannot be written means compiling in every process, nothing worse.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

_TIME = 1_000_000_000  # of every file, seconds


def folder() -> Path:
    """Return the folder for compiled formulas: ``GDSIM_CACHE_DIR``, or the platform's cache folder.

    >>> import os
    >>> os.environ["GDSIM_CACHE_DIR"] = "somewhere"
    >>> folder().as_posix()
    'somewhere/fast'
    >>> del os.environ["GDSIM_CACHE_DIR"]
    """
    given = os.environ.get("GDSIM_CACHE_DIR")
    if given:
        return Path(given) / "fast"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "gdsim" / "fast"


@lru_cache(maxsize=64)
def module(text: str, versions: tuple[str, ...]) -> ModuleType:
    """Return a module made of this text, from the cache folder where that can be written.

    The name ``CACHED`` in it says whether compiled code will be kept.

    Parameters
    ----------
    versions
        Whatever else compiled code depends on; part of the file's name.
    """
    digest = hashlib.sha256("\0".join((text, *versions)).encode()).hexdigest()[:24]
    name = f"gdsim_fast_{digest}"
    try:
        path = _written(folder(), f"{name}.py", f"CACHED = True\n{text}")
    except OSError:
        found = ModuleType(name)
        exec(compile(f"CACHED = False\n{text}", f"<{name}>", "exec"), found.__dict__)
        return found
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded  # Numba names compiled functions by it
    spec.loader.exec_module(loaded)
    return loaded


def _written(where: Path, name: str, text: str) -> Path:
    """The file with this text; it appears whole or not at all. Raises OSError where it cannot be written."""
    path = where / name
    if path.exists() and path.read_text(encoding="utf-8") == text:
        if not os.access(where, os.W_OK):
            raise OSError(f"{where} cannot be written")
        return path
    where.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=where, prefix=name, suffix=".new")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.utime(temporary, (_TIME, _TIME))
    os.replace(temporary, path)
    return path
