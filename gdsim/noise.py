"""Noise that is a pure function of (seed, run key, step, weight): counter-based, without a state.

The generator is Philox4x32-10 (J. K. Salmon et al., SC '11, doi:10.1145/2063384.2063405): a keyed
permutation of counters. A run therefore sees the same noise alone, in a batch, permuted or resumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gdsim.outcomes import Fault, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Words = NDArray[np.uint64]

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_GAUSSIAN, _MINIBATCH = 0, 1  # a bit of the fourth counter word keeps the two streams apart


@dataclass(frozen=True)
class Noise:
    """Gaussian noise of a given scale on the gradient, or mini-batches of a given size.

    >>> Noise("gaussian", scale=0.1).scale
    0.1
    """

    kind: Literal["gaussian", "minibatch"]
    scale: float = 0.0
    size: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("gaussian", "minibatch"):
            raise InputError(Fault(f"unknown noise {self.kind!r}", "gaussian or minibatch", path="kind"))
        if self.kind == "gaussian" and not 0 <= self.scale < float("inf"):
            raise InputError(Fault(f"{self.scale!r} is out of range", "a scale ≥ 0", path="scale"))
        if self.kind == "minibatch" and self.size < 1:
            raise InputError(Fault(f"{self.size!r} is out of range", "a size ≥ 1", path="size"))


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[Any, Any]) -> tuple[Words, Words, Words, Words]:
    """Return four 32-bit words for each counter of four and key of two 32-bit words.

    Parameters
    ----------
    counter, key
        Whole numbers or arrays of them, below 2³²; they broadcast.

    Returns
    -------
    tuple of arrays of uint64
        Each element below 2³². Cost: ten rounds of two multiplications.

    Examples
    --------
    >>> [hex(int(word)) for word in philox((0, 0, 0, 0), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    import numpy as np

    words = [np.asarray(word, dtype=np.uint64) for word in counter]
    keys = [np.asarray(word, dtype=np.uint64) for word in key]
    shift, low = np.uint64(32), np.uint64(_LOW)
    for _ in range(_ROUNDS):
        first = np.uint64(_MULTIPLIERS[0]) * words[0]
        second = np.uint64(_MULTIPLIERS[1]) * words[2]
        words = [
            (second >> shift) ^ words[1] ^ keys[0], second & low,
            (first >> shift) ^ words[3] ^ keys[1], first & low,
        ]  # fmt: skip
        keys = [(word + np.uint64(step)) & low for word, step in zip(keys, _WEYL, strict=True)]
    return words[0], words[1], words[2], words[3]


def _key(seed: Any) -> tuple[Any, Any]:
    import numpy as np

    seed = np.asarray(seed, dtype=np.int64).astype(np.uint64)
    return seed & np.uint64(_LOW), seed >> np.uint64(32)


def _run_words(run_key: Any, stream: int) -> tuple[Any, Any]:
    """The two counter words of a run: 63 bits of its key and one bit for the stream."""
    import numpy as np

    key = np.asarray(run_key, dtype=np.int64).astype(np.uint64)
    return key & np.uint64(_LOW), ((key >> np.uint64(31)) & ~np.uint64(1) & np.uint64(_LOW)) | np.uint64(
        stream
    )


def gaussian(seed: Any, run_key: Any, step: Any, weight: Any) -> Array:
    """Return standard normal numbers, one for each (seed, run key, step, weight); arguments broadcast.

    By G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29 (1958) 610, doi:10.1214/aoms/1177706645, from two
    uniform numbers of 53 bits.

    >>> bool(gaussian(0, 0, 5, 0) == gaussian([0, 1], 0, 5, 0)[0])
    True
    """
    import numpy as np

    shape = np.broadcast_shapes(*(np.shape(value) for value in (seed, run_key, step, weight)))
    flat = [np.broadcast_to(value, shape).ravel() for value in (seed, run_key, step, weight)]
    a, b, c, d = philox((flat[2], flat[3], *_run_words(flat[1], _GAUSSIAN)), _key(flat[0]))
    # 1 − u lies in (0, 1], so that its logarithm is finite
    radius = np.sqrt(-2.0 * np.log(1.0 - _uniform(a, b)))
    result: Array = (radius * np.cos(2.0 * np.pi * _uniform(c, d))).reshape(shape)
    return result


def _uniform(high: Words, low: Words) -> Array:
    """Two words as a number in [0, 1) with 53 random bits."""
    import numpy as np

    bits = (high >> np.uint64(5)) * np.uint64(1 << 26) + (low >> np.uint64(6))
    result: Array = bits.astype(np.float64) * 2.0**-53
    return result


def minibatch_rows(seed: Any, run_key: Any, step: int, rows: int, size: int) -> NDArray[np.int64]:
    """Return ``(size, runs)`` different row numbers for each run, in ascending order.

    Each row gets a random word; the rows with the smallest words are taken. Cost: one sort of the rows.

    >>> minibatch_rows([0], [0], 3, rows=5, size=5)[:, 0].tolist()
    [0, 1, 2, 3, 4]
    """
    import numpy as np

    seed, run_key = np.broadcast_arrays(np.atleast_1d(seed), np.atleast_1d(run_key))
    row = np.arange(rows)[:, None]
    a, b, _, _ = philox((step, row, *_run_words(run_key[None, :], _MINIBATCH)), _key(seed[None, :]))
    order = np.argsort(a * np.uint64(1 << 32) + b, axis=0, kind="stable")
    return np.sort(order[:size], axis=0)
