"""PyTorch's automatic differentiation, always in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gdsim.derivatives import Estimate, Gradient
from gdsim.derivatives.evaluation import Array, Columns, arguments, row_scale
from gdsim.losses import Loss


def bind(loss: Loss) -> Gradient:
    """Return the gradient by reverse-mode differentiation of the whole batch at once.

    The losses of all runs are added and their sum is differentiated backwards: no run's loss depends on
    another's weight, so each run finds its own gradient. The forward pass is one evaluation of the loss for
    each run; no error is estimated.

    Raises
    ------
    InputError
        Through :meth:`gdsim.derivatives.DerivativeMethod.bind`, where PyTorch is not installed.
    """
    import torch

    from gdsim.expr import emit_torch

    functions: dict[float, Callable[..., tuple[Any, ...]]] = {}
    assert loss.expression is not None
    expression, count = loss.expression, len(loss.weights)

    def gradient(weight: Array, parameters: Columns, data: Columns | None = None) -> Estimate:
        scale = row_scale(loss, data)
        if scale not in functions:
            functions[scale] = emit_torch.compile_function([expression], loss.arguments, row_scale=scale)
        tensors = [
            torch.tensor(value, dtype=torch.float64, requires_grad=place < count)
            for place, value in enumerate(arguments(loss, weight, parameters, data))
        ]
        (losses,) = functions[scale](*tensors)
        if losses.requires_grad:
            losses.sum().backward()
        rows = [
            np.zeros(weight.shape[1]) if tensor.grad is None else tensor.grad.numpy()
            for tensor in tensors[:count]
        ]
        return Estimate(np.stack(rows), None, np.ones(weight.shape[1], dtype=np.int64))

    return gradient
