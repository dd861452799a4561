"""How a module becomes part of a softened model, and its own again.

What makes it one stands in its ``__dict__``: its methods that run intercepted, and those below, each bound to it. Its
class stays what it is, so it makes no difference how that class came about, and no other code meets a stranger.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.fx import GraphModule

from .._numerics.kept_beta import PART, beta_in_words, keeping, prepare_load, value_of
from .callers import caller
from .code import is_hidden, reads_no_indices
from .intercept import NO_TRACE, Entry, entries, running
from .moments import adopt
from .smoothings import VALUE
from .state import ALL, Layer, Part, Softening, part_of


def intercept(module: nn.Module, softening: Softening, name: str, *, is_site: bool, layer: Layer | None) -> None:
    """Make a module part of a softened model."""
    _join(module, Part(softening, name, is_site, is_hidden(module), reads_no_indices(module), layer=layer))


def _join(module: nn.Module, part: Part) -> None:
    own = vars(module)
    own[PART] = part
    for name in entries(type(module)):
        own[name] = Entry(module, name, own.get(name))
    own.update({name: functools.partial(method, module) for name, method in _METHODS.items()})
    if hasattr(type(module), "__deepcopy__"):
        own["__deepcopy__"] = functools.partial(_deepcopy, module)
    if isinstance(module, GraphModule):  # its class is its own
        own["__reduce_ex__"] = functools.partial(_reduce_ex, module)
        type(module).__copy__ = _copy  # type: ignore[method-assign, assignment]


def _own_names(module: nn.Module) -> list[str]:
    """What :func:`_join` has put into the module."""
    own = vars(module)
    return [name for name, value in own.items() if name == PART or isinstance(value, Entry) or _is_bound(value)]


def _is_bound(value: Any) -> bool:
    return isinstance(value, functools.partial) and value.func in (*_METHODS.values(), _deepcopy, _reduce_ex)


def release(module: nn.Module) -> None:
    """Make a module its own again, without a β."""
    part, own = part_of(module), vars(module)
    assert part is not None
    for name in part.betas:
        delattr(module, name)
    for name in _own_names(module):
        value = own.pop(name)
        if isinstance(value, Entry) and value.own is not None:
            own[name] = value.own
    if isinstance(module, GraphModule) and "__copy__" in vars(type(module)):
        del type(module).__copy__


# What a module of a softened model does in its own way.


def _apply(module: nn.Module, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    part = part_of(module)
    assert part is not None
    return type(module)._apply(module, keeping(module, part.betas, fn), recurse)  # type: ignore[no-untyped-call, no-any-return]


def _load_from_state_dict(module: nn.Module, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
    part = part_of(module)
    assert part is not None
    adopt(module, state_dict, prefix)
    for name in part.betas:  # the original's state has no β; the copy keeps its own then
        state_dict.setdefault(prefix + name, value_of(module, name))
        prepare_load(module, name, state_dict, prefix)
    type(module)._load_from_state_dict(module, state_dict, prefix, *others)


def _replicate_for_data_parallel(module: nn.Module) -> nn.Module:
    replica: nn.Module = type(module)._replicate_for_data_parallel(module)  # type: ignore[no-untyped-call]
    part = part_of(module)
    assert part is not None
    for name in _own_names(replica):
        value = vars(replica).pop(name)
        if isinstance(value, Entry) and value.own is not None:
            vars(replica)[name] = value.own
    _join(replica, part)
    return replica


def _get_name(module: nn.Module) -> str:
    if caller() == "torch.fx._symbolic_trace" and not running.is_capturing:  # which asks the root for its name
        raise TypeError(NO_TRACE)
    name, part = type(module).__name__, part_of(module)
    assert part is not None
    is_left_alone = part.is_site and not part.softening.sites[part.name].replaced
    return name if is_left_alone else f"Softened{name}"


def _extra_repr(module: nn.Module) -> str:
    part = part_of(module)
    assert part is not None
    softening = part.softening
    knobs = {name: knob for name, knob in softening.knobs.items() if name == part.name or knob.owner is module}
    if softening.share == ALL and part.is_site and softening.sites[part.name].replaced:
        knobs = softening.knobs
    words = [type(module).extra_repr(module)]
    for knob in knobs.values():
        words.append(f"{knob.attribute.removeprefix('softening_')}={beta_in_words(knob.tensor)}")
    if knobs and softening.smoothing != VALUE:
        words.append(f"smoothing={softening.smoothing!r}")
    if knobs and softening.learnable:
        words.append("learnable=True")
    return ", ".join(word for word in words if word)


def _prepare_scriptable(module: nn.Module) -> nn.Module:
    raise TypeError(
        f"{type(module).__name__} is softened, and torch.jit.script would compile its hard calls: use torch.jit.trace,"
        " torch.compile or torch.export, or script what betavq.harden returns"
    )


_METHODS: dict[str, Callable[..., Any]] = {
    "_apply": _apply,
    "_load_from_state_dict": _load_from_state_dict,
    "_replicate_for_data_parallel": _replicate_for_data_parallel,
    "_get_name": _get_name,
    "extra_repr": _extra_repr,
    "__prepare_scriptable__": _prepare_scriptable,
}


# Copies of modules that copy themselves, and take along what their class knows of.


def _deepcopy(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    made: nn.Module = type(module).__deepcopy__(module, memo)  # type: ignore[attr-defined]
    memo[id(module)] = made
    part = part_of(module)
    if part is not None and part_of(made) is None:
        betas = {name: copy.deepcopy(getattr(module, name), memo) for name in part.betas}
        _carry(made, copy.deepcopy(part, memo), betas)
    return made


def _copy(module: nn.Module) -> nn.Module:
    made = super(type(module), module).__copy__()  # type: ignore[misc]
    part = part_of(module)
    assert part is not None
    _join(made, replace(part, betas=()))
    return made  # type: ignore[no-any-return]


def _reduce_ex(module: GraphModule, protocol: int) -> tuple[Any, ...]:  # noqa: ARG001
    # What the module is made of leads back to it, so it is made empty and filled thereafter.
    part, own = part_of(module), _own_names(module)
    assert part is not None
    make, (body, *others) = type(module).__reduce__(module)
    plain = {name: value for name, value in body.items() if name not in own}
    betas = {name: getattr(module, name) for name in part.betas}
    return _empty, (), (make, plain, others, part, betas)


def _empty() -> GraphModule:
    made = GraphModule.__new__(GraphModule)
    vars(made)["__setstate__"] = functools.partial(_fill, made)
    return made


def _fill(made: GraphModule, state: tuple[Any, ...]) -> None:
    make, plain, others, part, betas = state
    built = make(plain, *others)
    made.__class__ = type(built)
    made.__dict__ = vars(built)
    made.graph = built.graph
    _carry(made, part, betas)


def _carry(made: nn.Module, part: Part, betas: dict[str, Tensor]) -> None:
    for name, beta in betas.items():
        if name not in made._parameters and name not in made._buffers:
            vars(made).pop(name, None)
            add = made.register_parameter if isinstance(beta, nn.Parameter) else made.register_buffer
            add(name, beta)  # type: ignore[arg-type]
    _join(made, part)
