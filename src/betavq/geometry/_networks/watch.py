"""Watch a model compute: which layer selects what, and whether every step is piecewise affine in the input.

The input goes through the model as a tensor that is asked before each operation on it (``__torch_function__``). So
layers and plain functions, residual additions and reshapes are seen alike, and an operation that is not known to be
affine or to select among affine pieces is refused by the name of the layer it happens in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from ..._numerics.tracing import Observed
from ..._softening.smoothings import softened
from ..._torch.affine import Step, function_name, leaves
from ..._torch.hard_units import as_rows
from .own_layers import OWN_FUNCTIONS, Found, check_step_hard, find_units

#: Told of a step, what depends on the input marked as such, what is called, and the units that it is; what it returns
#: is kept with the results.
Follow = Callable[[Step, tuple[Any, ...], dict[str, Any], Any, Found | None], Any]


@dataclass(frozen=True)
class Selection:
    """What one layer selected.

    Attributes:
        name: the layer, as ``named_modules`` calls it, and the function where it is no layer of its own.
        code: the number of the piece that every unit selected, integers ``(N, K)``.
        total: the sum over the layer's outputs, ``(N,)``, whose gradient is a centroid; only if asked for.
    """

    name: str
    code: Tensor
    total: Tensor | None


@dataclass
class Watcher:
    """Follows one forward pass.

    Attributes:
        keep_totals: whether to sum the outputs of selecting layers.
        selections: what was selected, in the order of computation.
        any_beta: whether units may be softened; else they are refused.
        follow: told of every operation on the input; what it returns is kept with the results (:func:`mark_of`).
    """

    keep_totals: bool = False
    follow: Follow | None = None
    any_beta: bool = False
    selections: list[Selection] = field(default_factory=list)
    layers: list[tuple[str, nn.Module]] = field(default_factory=list)

    def layer(self) -> str:
        """The innermost layer at work, in words."""
        if not self.layers:
            return "the model"
        name, module = self.layers[-1]
        return f"layer {name!r} ({type(module).__name__})" if name else f"the model ({type(module).__name__})"

    def step(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step:
        """An operation on the input."""
        given = [isinstance(each, Watched) for each in leaves((args, kwargs))]
        return Step(name, _bare(args), _bare(kwargs), sum(given), given[0], self.layer())

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on the input."""
        is_layer = isinstance(func, nn.Module)
        name = type(func).__name__ if is_layer else args[1] if func is softened else function_name(func, args)
        step = self.step(name, args, kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            if step.is_constant:
                return func(*step.args, **step.kwargs)
            if not all(each.is_floating_point() for each in watched_in((args, kwargs))) and not step.is_passive:
                raise step.refusal("which takes the indices of a maximum")
            found = find_units(step, func)
            if found is not None and not self.any_beta:
                check_step_hard(step, found.beta)
            mark = self.follow(step, args, kwargs, func, found) if self.follow else mark_of(args)
            code = None if found is None else (found.step.name, found.units.code(found.scores()))
            result = (func.forward if is_layer else func)(*step.args, **step.kwargs)
            if isinstance(result, Tensor) and not result.is_floating_point():
                raise step.refusal("which must put out floating numbers")
            if code is not None:
                self.record(*code, result)
            return self.wrap(result, mark)

    def record(self, function: str, code: Tensor, output: Any) -> None:
        """Keep what a layer selected."""
        values = output[0] if isinstance(output, tuple) else output
        name, module = self.layers[-1] if self.layers else ("", None)
        leaf = module is not None and not any(True for _ in module.children()) and name
        label = name if leaf else f"{name}.{function}" if name else function
        count = sum(each.name == label or each.name.startswith(f"{label}#") for each in self.selections)
        label = f"{label}#{count + 1}" if count else label
        # Summed now: a later step may work in place.
        total = as_rows(values).sum(1) if self.keep_totals else None
        self.selections.append(Selection(label, code, total))

    def wrap(self, result: Any, mark: Any) -> Any:
        """Results of an operation, to be watched further."""
        if isinstance(result, Tensor):
            watched: Any = result.as_subclass(Watched)
            watched.watcher, watched.mark = self, mark
            return watched
        if isinstance(result, tuple | list) and any(isinstance(each, Tensor) for each in result):
            kind: Any = list if isinstance(result, list) else type(result)  # torch.max of a dim has a kind of its own
            return kind(self.wrap(each, mark) for each in result)
        return result


class Watched(Observed):
    """A tensor that depends on the input."""

    watcher: Watcher
    mark: Any

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        watcher = next(watched_in((args, kwargs))).watcher
        return watcher.call(func, args, kwargs)


def watched_in(args: Any) -> Iterator[Watched]:
    """The tensors among arguments that depend on the input."""
    return (each for each in leaves(args) if isinstance(each, Watched))


def mark_of(args: Any) -> Any:
    """What is kept with the first tensor that depends on the input."""
    return next((each.__dict__.get("mark") for each in watched_in(args)), None)


def _bare(value: Any) -> Any:
    """Arguments as plain tensors."""
    if isinstance(value, Watched):
        with torch._C.DisableTorchFunctionSubclass():
            return value.as_subclass(Tensor)
    if type(value) in (tuple, list):
        return type(value)(_bare(each) for each in value)
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items()}
    return value


def watch(
    model: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    keep_totals: bool = False,
    follow: Follow | None = None,
    mark: Any = None,
    any_beta: bool = False,
) -> tuple[Tensor, list[Selection], Any]:
    """The model's output at x, what its layers selected, and what ``follow`` kept with the output.

    Raises:
        ValueError: an operation on the input that is not piecewise affine, a layer of this library at a β below 1, or
            inputs that do not fit.
        TypeError: a model that does not return one tensor.
    """
    watcher = Watcher(keep_totals, follow, any_beta)
    try:
        result = _run(model, watcher, x, mark)
    except (RuntimeError, IndexError) as error:
        raise ValueError(f"x must fit the model, got shape {tuple(x.shape)}: {error}") from error
    if not isinstance(result, Watched):
        got = type(result).__name__
        raise TypeError(f"model must return one tensor that depends on x, got {got}")
    output = _bare(result)
    if len(x) and output.dim() and len(output) == len(x):  # else there is more to say
        _check_rows_apart(model, x.detach(), output.detach())
    return output, watcher.selections, result.mark


def _run(model: Callable[[Tensor], Tensor], watcher: Watcher, x: Tensor, mark: Any = None) -> Any:
    with _hooks(model, watcher):
        return model(watcher.wrap(x.clone(), mark))  # a clone, for a layer may work in place


class MixedRowsError(ValueError):
    """A model that does not compute each row of a batch for itself."""

    def __init__(self, place: str) -> None:
        super().__init__(f"model must compute each row of a batch for itself, got {place}")


@torch.no_grad()
def _check_rows_apart(model: Callable[[Tensor], Tensor], x: Tensor, output: Tensor) -> None:
    """Raise unless a model computes each row of a batch for itself, however many they are and in any order.

    NaN in one row goes wherever a number of that row goes, through dead units too.
    """
    count = 3 if len(x) != 3 else 4
    rows = x[torch.arange(1, count + 1) % len(x)]  # each at another place than it was
    largest = torch.finfo(output.dtype).eps ** 0.5 * output.abs().max() if output.numel() else 0.0
    for strange in (0, count - 1):
        given = rows.clone()
        given[strange] = torch.nan

        def check(values: Tensor, place: str, strange: int = strange) -> None:
            others = [row for row in range(count) if row != strange]
            if values.dim() == 0 or len(values) != count or bool(values[others].isnan().any()):
                raise MixedRowsError(place)

        def follow(step: Step, args: Any, kwargs: Any, called: Any, found: Found | None, check: Any = check) -> None:  # noqa: ARG001
            if found is not None:
                check(found.scores(), step.place)

        try:
            result = _bare(_run(model, Watcher(follow=follow, any_beta=True), given))
        except MixedRowsError:
            raise
        except Exception:  # made for another number of rows, or for finite numbers
            return
        check(result, "outputs that depend on other rows")
        if bool(((result[1] - output[2 % len(x)]).abs() > largest).any()):
            raise MixedRowsError("outputs that depend on the number or order of rows")


class _Asker(Watcher):
    """Looks for functions of the library alone, and lets all else pass."""

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            if isinstance(func, FunctionType) and func in OWN_FUNCTIONS:
                check_step_hard(self.step(function_name(func), args, kwargs))
            is_layer = isinstance(func, nn.Module)
            return self.wrap((func.forward if is_layer else func)(*_bare(args), **_bare(kwargs)), None)


def run_hard(model: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The output of any model, with its graph; raise if it calls a function of the library at a β below 1."""
    output: Tensor = _bare(model(_Asker().wrap(x, None)))
    return output


@contextmanager
def _hooks(model: Any, watcher: Watcher) -> Iterator[None]:
    """Let the watcher know which layer is at work."""
    handles = []
    for name, module in model.named_modules() if isinstance(model, nn.Module) else ():
        handles.append(module.register_forward_pre_hook(_enter(watcher, name)))
        handles.append(module.register_forward_hook(_leave(watcher)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _enter(watcher: Watcher, name: str) -> Any:
    def hook(module: nn.Module, _: Any) -> None:
        watcher.layers.append((name, module))

    return hook


def _leave(watcher: Watcher) -> Any:
    def hook(*_: Any) -> None:
        watcher.layers.pop()

    return hook
