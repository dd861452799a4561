"""Watch a model compute: which layer selects what, and whether every step is piecewise affine in the input.

The input goes through the model as a tensor that is asked before each operation on it (``__torch_function__``). So
layers and plain functions, residual additions and reshapes are seen alike, and an operation that is not known to be
affine or to select among affine pieces is refused by the name of the layer it happens in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..._numerics.hardness import clamp_beta
from ..._torch.affine import AFFINE, BILINEAR, CONSTANT, PASSIVE, SELECTING, function_name
from ...maso import MASO
from ...nn import BetaAbs, BetaLeakyReLU, BetaMaxout, BetaMaxPool2d, BetaReLU

BETA_LAYERS = (BetaReLU, BetaLeakyReLU, BetaAbs, BetaMaxout, BetaMaxPool2d)
#: Layers that do not show their selection as one function: its name, and the code from the layer and its input.
OPAQUE: dict[type[nn.Module], tuple[str, Callable[[Any, Tensor], Tensor]]] = {
    MASO: ("maso", lambda layer, x: layer.selection(x)),
    BetaMaxout: ("amax", lambda layer, x: x.argmax(layer.dim)),
}
ADVICE = (
    "which is not known to be; harden it: put ReLU, LeakyReLU, PReLU, abs, hardtanh, max-pooling, maxout or "
    "betavq.nn's units at beta=1 in its place, and take logits in place of probabilities"
)


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
        step: told of every operation on the input: its name, its arguments, its results; what it returns is kept
            with the results (:func:`mark_of`).
    """

    keep_totals: bool = False
    step: Callable[[str, str, tuple[Any, ...], dict[str, Any]], Any] | None = None
    selections: list[Selection] = field(default_factory=list)
    layers: list[tuple[str, nn.Module]] = field(default_factory=list)
    held: list[Watched] = field(default_factory=list)

    def layer(self) -> str:
        """The innermost layer at work, in words."""
        if not self.layers:
            return "the model"
        name, module = self.layers[-1]
        return f"layer {name!r} ({type(module).__name__})" if name else f"the model ({type(module).__name__})"

    def call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on the input."""
        name = function_name(func)
        if name in CONSTANT:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*_bare(args), **_bare(kwargs))
        known = name in AFFINE or name in PASSIVE or name in BILINEAR or name in SELECTING
        if not known:
            raise ValueError(f"model must be piecewise affine, got {name} in {self.layer()}, {ADVICE}")
        if name in BILINEAR:
            self._check_weights(name, args, kwargs)
        if name in ("batch_norm", "dropout") and kwargs.get("training"):
            raise ValueError(f"model must be in eval mode, got {self.layer()} that depends on its batch or on chance")
        mark = self.step(name, self.layer(), args, kwargs) if self.step and name not in PASSIVE else mark_of(args)
        plain_args, plain_kwargs = _bare(args), _bare(kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            code = SELECTING[name](*plain_args, **plain_kwargs) if name in SELECTING else None
            result = func(*plain_args, **plain_kwargs)
            if code is not None:
                self.record(name, code, result)
            return self.wrap(result, mark)

    def _check_weights(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise unless the weights of a linear operation do not depend on the input."""
        divided = name in ("div", "divide", "true_divide") and isinstance(args[1], Watched)
        if divided or sum(1 for _ in watched_in((args, tuple(kwargs.values())))) > 1:
            got = f"{name} by a function of x in {self.layer()}"
            raise ValueError(f"model must be piecewise affine, got {got}, {ADVICE}")

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
        self.selections.append(Selection(label, as_rows(code), total))

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


class Watched(Tensor):
    """A tensor that depends on the input."""

    watcher: Watcher
    mark: Any

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        (watcher, *_) = (each.watcher for each in watched_in((args, tuple(kwargs.values()))))
        return watcher.call(func, args, kwargs)


def watched_in(args: Any) -> Iterator[Watched]:
    """The tensors among arguments that depend on the input."""
    if isinstance(args, Watched):
        yield args
    elif isinstance(args, tuple | list):
        for each in args:
            yield from watched_in(each)


def as_rows(values: Tensor) -> Tensor:
    """One row for each point, ``(N, …)`` → ``(N, K)``."""
    return values.flatten(1) if values.dim() > 1 else values.unsqueeze(-1)


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
    step: Callable[[str, str, tuple[Any, ...], dict[str, Any]], Any] | None = None,
    mark: Any = None,
) -> tuple[Tensor, list[Selection], Any]:
    """The model's output at x, what its layers selected, and what ``step`` kept with the output.

    Raises:
        ValueError: an operation on the input that is not piecewise affine, a layer of this library at a β below 1, or
            inputs that do not fit.
        TypeError: a model that does not return one tensor.
    """
    watcher = Watcher(keep_totals, step)
    with _hooks(model, watcher):
        try:
            result = model(watcher.wrap(x.clone(), mark))  # a clone, for a layer may work in place
        except RuntimeError as error:
            raise ValueError(f"x must fit the model, got shape {tuple(x.shape)}: {error}") from error
    if not isinstance(result, Watched):
        got = type(result).__name__
        raise TypeError(f"model must return one tensor that depends on x, got {got}")
    return _bare(result), watcher.selections, result.mark


@contextmanager
def _hooks(model: Any, watcher: Watcher) -> Iterator[None]:
    """Let the watcher know which layer is at work, and let MASOs tell their selection."""
    handles = []
    for name, module in model.named_modules() if isinstance(model, nn.Module) else ():
        handles.append(module.register_forward_pre_hook(_enter(watcher, name), with_kwargs=True))
        handles.append(module.register_forward_hook(_leave(watcher), with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _enter(watcher: Watcher, name: str) -> Any:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        watcher.layers.append((name, module))
        if isinstance(module, BETA_LAYERS):
            _check_hard(watcher, clamp_beta(module.beta.detach()))
        if isinstance(module, MASO):
            _check_hard(watcher, torch.as_tensor(kwargs.get("beta", args[1] if len(args) > 1 else 1.0)))
        if type(module) not in OPAQUE:
            return None
        watcher.held.append(next(watched_in((args, tuple(kwargs.values())))))
        return _bare(args), _bare(kwargs)

    return hook


def _leave(watcher: Watcher) -> Any:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:  # noqa: ARG001
        if type(module) in OPAQUE:
            function, code_of = OPAQUE[type(module)]
            x = watcher.held.pop()
            mark = watcher.step(function, watcher.layer(), (x, module), {}) if watcher.step else None
            watcher.record(function, code_of(module, _bare(x)), output)
            output = watcher.wrap(output, mark)
        watcher.layers.pop()
        return output

    return hook


def _check_hard(watcher: Watcher, beta: Tensor) -> None:
    if not bool((beta == 1).all()):
        got = beta.flatten()[(beta != 1).flatten()][0].item()
        raise ValueError(f"model must be hard, got beta = {got:.7g} in {watcher.layer()}: set its beta to 1")
