"""Ways to find ∂L/∂w: types, the table of methods, and their options.

Everything here can be read without NumPy; the arithmetic lives in the modules that
:meth:`DerivativeMethod.bind` imports. ``METHODS``, at the foot, is the table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gdsim.losses import Loss
from gdsim.outcomes import Fault, InputError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Estimate(NamedTuple):
    """The gradient of a batch of runs, how far off it may be, and what it cost.

    Attributes
    ----------
    gradient
        ∂L/∂w, shape (weights, runs).
    error
        An estimate of ``abs(gradient − true gradient)`` that is meant to be an upper bound, shape
        (weights, runs); None where the method has no estimate.
    evaluations
        Evaluations of the loss that the method itself made for each run, shape (runs,). Zero for
        ``analytic``; one for ``torch`` (its forward pass). Adaptive methods may spend more on one run
        than on another.
    """

    gradient: Array
    error: Array | None
    evaluations: Integers


Gradient: TypeAlias = "Callable[[Array, Mapping[str, Array], Mapping[str, Array] | None], Estimate]"
"""``gradient(weight (weights, runs), parameters {name: (runs,)}, data or None) -> Estimate``.

``data`` replaces the columns of the loss by mini-batches of shape (size, runs).
"""

ScalarGradient: TypeAlias = "Callable[..., tuple[float, ...]]"
"""``gradient(*weights, *parameters) -> (∂L/∂w₁, …)`` on Python floats; never raises for any number."""


class MethodOption(NamedTuple):
    """One option of a method: its default, the words it takes, and whether it takes a positive number."""

    default: str | float
    summary: str
    choices: tuple[str, ...] = ()
    positive_number: bool = False

    @property
    def expected(self) -> str:
        """What is allowed, in words.

        >>> MethodOption("auto", "the step", ("auto",), positive_number=True).expected
        'auto or a positive number'
        """
        words = [*self.choices, *(["a positive number"] if self.positive_number else [])]
        return " or ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} or {words[-1]}"

    def accepts(self, value: object) -> bool:
        """Tell whether the value is one of the words or a positive finite number."""
        if isinstance(value, str):
            return value in self.choices
        return (
            self.positive_number
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0 < value <= sys.float_info.max
        )


class MethodEntry(NamedTuple):
    """A row of the table of methods.

    ``requires`` names the packages it needs beyond NumPy; ``needs_expression`` tells that a Python
    callable cannot be its loss.
    """

    summary: str
    bind: Callable[[Loss, Mapping[str, str | float]], Gradient]
    bind_scalar: Callable[[Loss, Mapping[str, str | float]], ScalarGradient | None]
    options: Mapping[str, MethodOption] = {}
    requires: tuple[str, ...] = ()
    needs_expression: bool = False
    reference: str = ""


class DerivativeMethod(NamedTuple):
    """A method with its options chosen. Make one with :func:`derivative_method`."""

    name: str = "analytic"
    options: Mapping[str, str | float] = {}

    @property
    def entry(self) -> MethodEntry:
        """Its row of ``METHODS``."""
        return METHODS[self.name]

    @property
    def label(self) -> str:
        """The method in a few words, for tables and figures.

        >>> derivative_method("numeric", scheme="forward", step=1e-5).label
        'numeric forward, step 1e-05'
        """
        scheme = self.options.get("scheme") or self.options.get("routine") or ""
        text = f"{self.name} {scheme}".strip()
        step = self.options.get("step")
        return text if step in (None, "auto") else f"{text}, step {step:g}"

    def bind(self, loss: Loss) -> Gradient:
        """Return the gradient function of the loss for arrays of runs.

        Raises
        ------
        InputError
            Where the loss does not suit the method (a Python callable for ``analytic``, a kink for the
            complex step) or a package is missing.
        """
        self.check(loss)
        return self.entry.bind(loss, self.options)

    def bind_scalar(self, loss: Loss) -> ScalarGradient | None:
        """Return ``gradient(*weights, *parameters)`` on Python floats, or None where there is none.

        It exists for ``analytic`` and for the numeric schemes forward, backward, central and five_point
        with a step given as a number, and does the same arithmetic as :meth:`bind`. The loss keeps its
        own data.
        """
        self.check(loss)
        return self.entry.bind_scalar(loss, self.options)

    def evaluations(self, loss: Loss) -> int:
        """Return how many evaluations of the loss one gradient takes, for ``analytic`` and ``numeric``.

        >>> derivative_method("numeric", scheme="central").evaluations(Loss.from_text("u^2 + v^2"))
        25
        """
        if self.name != "numeric":
            return 0
        given, automatic = _EVALUATIONS[str(self.options["scheme"])]
        each, once = automatic if self.options["step"] == "auto" else given
        return each * len(loss.weights) + once

    def check(self, loss: Loss) -> None:
        """Raise InputError where the method needs a formula and the loss has none."""
        if self.entry.needs_expression and loss.expression is None:
            raise InputError(
                Fault(
                    f"the derivative method {self.label} needs a formula, and this loss is a Python function",
                    expected="derivative: numeric (forward, backward, central, five_point or richardson) "
                    "or scipy",
                    path="derivative",
                )
            )
        for package in self.entry.requires:
            if find_spec(package) is None:
                raise InputError(
                    Fault(
                        f"the derivative method {self.name} needs the package {package}, "
                        "which is not installed",
                        expected=_REMEDY[package],
                        path="derivative",
                    )
                )


_REMEDY = {"scipy": "pip install scipy", "torch": "pip install 'gdsim[torch]'"}

_EVALUATIONS = {  # for each weight and once: with a step given, with an automatic one
    "forward": ((1, 1), (8, 1)),
    "backward": ((1, 1), (8, 1)),
    "central": ((2, 0), (12, 1)),
    "five_point": ((4, 0), (16, 1)),
    "complex_step": ((1, 0), (1, 0)),
    "richardson": ((16, 1), (52, 1)),
}
_SCALAR_SCHEMES = ("forward", "backward", "central", "five_point")


def derivative_method(name: str = "analytic", **options: object) -> DerivativeMethod:
    """Choose a derivative method; missing options take their defaults.

    Parameters
    ----------
    name
        A key of ``METHODS``.
    options
        As listed in its entry: ``numeric`` takes ``scheme`` and ``step``, ``scipy`` takes ``routine``.

    Raises
    ------
    InputError
        For an unknown method, an unknown option or a value that the option does not take.

    Examples
    --------
    >>> derivative_method("numeric", scheme="forward").options
    {'scheme': 'forward', 'step': 'auto'}
    >>> derivative_method("numerik")
    Traceback (most recent call last):
    gdsim.outcomes.InputError: derivative: unknown derivative method 'numerik'; expected analytic, ...
    """
    if name not in METHODS:
        raise InputError(
            Fault(
                f"unknown derivative method {name!r}",
                expected=", ".join(METHODS),
                suggestion=nearest(name, tuple(METHODS)),
                path="derivative",
            )
        )
    allowed = METHODS[name].options
    faults = []
    for key, value in options.items():
        if key not in allowed:
            faults.append(
                Fault(
                    f"the derivative method {name} has no option {key!r}",
                    expected=", ".join(allowed) or "no options",
                    suggestion=nearest(key, tuple(allowed)),
                    path=f"derivative.{key}",
                )
            )
        elif not allowed[key].accepts(value):
            faults.append(
                Fault(
                    f"{value!r} is not a {key}",
                    expected=allowed[key].expected,
                    suggestion=nearest(value, allowed[key].choices) if isinstance(value, str) else "",
                    path=f"derivative.{key}",
                )
            )
    if faults:
        raise InputError(*faults)
    chosen: dict[str, str | float] = {}
    for key, option in allowed.items():
        value = options.get(key, option.default)
        chosen[key] = value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    return DerivativeMethod(name, chosen)


def _bind_analytic(loss: Loss, options: Mapping[str, str | float]) -> Gradient:
    from gdsim.derivatives.analytic import bind

    return bind(loss)


def _bind_analytic_scalar(loss: Loss, options: Mapping[str, str | float]) -> ScalarGradient | None:
    from gdsim.derivatives.analytic import bind_scalar

    return bind_scalar(loss)


def _bind_numeric(loss: Loss, options: Mapping[str, str | float]) -> Gradient:
    scheme, step = str(options["scheme"]), options["step"]
    number = None if isinstance(step, str) else step
    if scheme == "complex_step":
        from gdsim.derivatives.complex_step import bind as bind_complex_step

        return bind_complex_step(loss, number)
    if scheme == "richardson":
        from gdsim.derivatives.richardson import bind as bind_richardson

        return bind_richardson(loss, number)
    from gdsim.derivatives.finite_differences import bind

    return bind(loss, scheme, number)


def _bind_numeric_scalar(loss: Loss, options: Mapping[str, str | float]) -> ScalarGradient | None:
    step = options["step"]
    if isinstance(step, str) or options["scheme"] not in _SCALAR_SCHEMES:
        return None
    from gdsim.derivatives.finite_differences import bind_scalar

    return bind_scalar(loss, str(options["scheme"]), step)


def _bind_scipy(loss: Loss, options: Mapping[str, str | float]) -> Gradient:
    from gdsim.derivatives.scipy_routines import bind

    return bind(loss, str(options["routine"]))


def _bind_torch(loss: Loss, options: Mapping[str, str | float]) -> Gradient:
    from gdsim.derivatives.autograd import bind

    return bind(loss)


def _no_scalar(loss: Loss, options: Mapping[str, str | float]) -> None:
    return None


METHODS: dict[str, MethodEntry] = {
    "analytic": MethodEntry(
        summary="the exact derivative of the formula, rule by rule",
        bind=_bind_analytic,
        bind_scalar=_bind_analytic_scalar,
        needs_expression=True,
    ),
    "numeric": MethodEntry(
        summary="differences of the loss at nearby weights",
        bind=_bind_numeric,
        bind_scalar=_bind_numeric_scalar,
        options={
            "scheme": MethodOption(
                "central",
                "which differences are taken",
                ("forward", "backward", "central", "five_point", "complex_step", "richardson"),
            ),
            "step": MethodOption("auto", "how far apart the weights are", ("auto",), positive_number=True),
        },
        reference="W. H. Press et al., Numerical Recipes (3rd ed., 2007), §5.7",
    ),
    "scipy": MethodEntry(
        summary="SciPy's own routines",
        bind=_bind_scipy,
        bind_scalar=_no_scalar,
        options={
            "routine": MethodOption(
                "derivative", "the function of SciPy that is called", ("derivative", "approx_fprime")
            )
        },
        requires=("scipy",),
        reference="SciPy: scipy.differentiate.derivative, scipy.optimize.approx_fprime",
    ),
    "torch": MethodEntry(
        summary="PyTorch's automatic differentiation, in double precision",
        bind=_bind_torch,
        bind_scalar=_no_scalar,
        requires=("torch",),
        needs_expression=True,
        reference="A. Paszke et al., PyTorch (NeurIPS 2019), arXiv:1912.01703",
    ),
}
