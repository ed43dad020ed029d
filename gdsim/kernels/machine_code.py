"""Compiled loops as object files in a cache folder: a later process loads them without Numba.

Importing Numba and finding what it compiled takes a third of a second, loading an object file with LLVM a
hundredth. A file's name is a digest of the source, of the versions that compile it and of the processor, so
that it never changes. A folder that cannot be written means compiling in every process, nothing worse.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from numpy.typing import NDArray

ENTRY = "entry"  # the function of the source that is called, a C function of addresses
_DIGEST = 32  # bytes in front of an object file: of what follows
#: of Numba, where an exception would be raised or an array freed: no loop does either
_ON_ERROR = {
    "NRT_Free", "NRT_MemInfo_call_dtor", "numba_do_raise", "numba_gil_ensure", "numba_gil_release",
    "numba_runtime_build_excinfo_struct", "numba_unpickle",
}  # fmt: skip
_OF_C = {
    "acos", "asin", "atan", "atan2", "cos", "cosh", "exp", "exp2", "expm1", "fabs", "floor", "fma", "fmod",
    "log", "log10", "log1p", "log2", "memcpy", "memmove", "memset", "pow", "sin", "sinh", "sqrt", "tan",
    "tanh",
}  # fmt: skip
_COMPILING = Lock()


class Loop:
    """A compiled loop. Calling it lets go of the interpreter's lock.

    Parameters
    ----------
    address
        Where its machine code begins.
    owner
        What keeps it there.
    """

    def __init__(self, address: int, owner: object) -> None:
        self.address, self.owner = address, owner

    def __call__(self, *arrays: NDArray[Any]) -> None:
        """Call it with the addresses of contiguous arrays."""
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))
        kind(self.address)(*(array.ctypes.data for array in arrays))


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


def file_of(text: str) -> Path:
    """Return the file for the machine code of a generated source."""
    digest = hashlib.sha256("\0".join((text, *_surroundings())).encode()).hexdigest()[:24]
    return folder() / f"gdsim_fast_{digest}.o"


@lru_cache(maxsize=64)
def loop(text: str) -> Loop:
    """Return the compiled loop of a generated source, from the cache folder where it is there.

    Cost: two or three seconds where it has to be compiled.
    """
    with _COMPILING:
        file = file_of(text)
        code = _read(file)
        if code is None:
            function = _compiled(text)
            code = _object_code(function.inspect_llvm(), function.native_name)
            if code is None:
                return Loop(function.address, function)
            with suppress(OSError):
                _write(file, code)
        return _loaded(code)


@cache
def _surroundings() -> tuple[str, ...]:
    """What machine code depends on beside the source: versions, two modules of ours, the processor."""
    import llvmlite.binding as llvm

    here = Path(__file__)
    texts = [file.read_text("utf-8") for file in (here, here.with_name("fast_primitives.py"))]
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    return version("numba"), version("llvmlite"), *texts, *processor


def _compiled(text: str) -> Any:
    """Compile a source with Numba; return its C function."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<gdsim fast>", "exec"), namespace)
    return namespace[ENTRY]


def _target() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3,
        codemodel="jitdefault", jit=True,
    )  # fmt: skip


def _object_code(text: str, name: str) -> bytes | None:
    """Turn LLVM's text of a C function into machine code that calls nothing but the C library.

    None where it needs something else.
    """
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    wanted = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    errors = {called for called in wanted if called in _ON_ERROR or called.startswith(("Py", "_Py"))}
    values = {value.name for value in module.global_variables if value.is_declaration}
    if wanted - errors - _OF_C or not all(value.startswith("Py") for value in values):
        return None
    stops = ["declare void @llvm.trap()", *(f"@{value} = global i64 0" for value in sorted(values))]
    stops += [
        f"define void @{called}() {{\n  call void @llvm.trap()\n  unreachable\n}}"
        for called in sorted(errors)
    ]
    module.link_in(llvm.parse_assembly("\n".join(stops)))
    module.get_function(name).name = ENTRY
    code: bytes = _target().emit_object(module)
    return code


def _loaded(code: bytes) -> Loop:
    """Make machine code ready to be called."""
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Loop(engine.get_function_address(ENTRY), engine)


def _read(file: Path) -> bytes | None:
    """The machine code in a file; None where there is none, or it is damaged."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    code = content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == content[:_DIGEST] else None


def _write(file: Path, code: bytes) -> None:
    """Write machine code; the file appears whole or not at all. Raises OSError where it cannot be written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    with os.fdopen(handle, "wb") as opened:
        opened.write(hashlib.sha256(code).digest() + code)
    os.replace(temporary, file)
