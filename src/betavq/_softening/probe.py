"""How sites are found before the model is used.

Modules are known by their type. The calls within ``forward`` are found by running a copy on example inputs, in eval
and in train mode, or else by capturing its graph with ``torch.fx``, which needs no inputs. A model whose Python code
asks for the values or shapes of its inputs cannot be captured: its calls are noted when it makes them.
"""

from __future__ import annotations

import copy
import inspect
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.parametrize import type_before_parametrizations

from .._beta_module import BetaModule
from .._torch.call_table import CALLS, METHODS
from .._torch.calls import Call
from .._torch.left_alone import INDICES
from .._torch.pieces import LAYERS
from .code import may_call, may_call_in_hooks
from .intercept import PAUSED, Entry, entries, run, running
from .state import Frame, Layer, Softening, part_of

SCRIPTED = "is compiled by torch.jit, where calls cannot be intercepted"


# The modules of torch.nn, for the rest, that compute a nonlinearity; what else stands there does not.
FUNCTIONS: dict[str, Any] = {
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), F.instance_norm),
    **dict.fromkeys(("LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d"), F.instance_norm),
    **dict.fromkeys(("LocalResponseNorm", "CrossMapLRN2d"), F.local_response_norm),
    "LayerNorm": F.layer_norm,
    "GroupNorm": F.group_norm,
    "RMSNorm": F.rms_norm,
    "CosineSimilarity": F.cosine_similarity,
    "PairwiseDistance": F.pairwise_distance,
    "Softmax2d": F.softmax,
    "LogSoftmax": F.log_softmax,
    "AdaptiveLogSoftmaxWithLoss": F.log_softmax,
    "MultiheadAttention": F.multi_head_attention_forward,
    "LSTM": torch.lstm,
    "LSTMCell": torch.lstm_cell,
    "GRU": torch.gru,
    "GRUCell": torch.gru_cell,
    "RNN": torch.rnn_tanh,
    "RNNCell": torch.rnn_tanh_cell,
}


def _modules() -> dict[type[nn.Module], Call]:
    """Each module that is a site by itself, with the function that it calls."""
    layers = {name: getattr(nn, layer) for layer, name in LAYERS.items() if hasattr(nn, layer)}
    table: dict[type[nn.Module], Call] = {layer: CALLS[getattr(F, name)] for name, layer in layers.items()}
    for name in (*nn.modules.activation.__all__, *nn.modules.pooling.__all__):
        words = re.sub("(?<=[a-z])(?=[A-Z])|(?<=LP)(?=P)", "_", name).lower()
        function = getattr(F, words if "pool" in words else name.lower(), None)
        if function in CALLS:
            table.setdefault(getattr(nn, name), CALLS[function])
    for name, function in FUNCTIONS.items():
        table.setdefault(getattr(nn, name), CALLS[function])
    return table


MODULES = _modules()


def module_site(module: nn.Module) -> tuple[str, str] | None:
    """Of a module that is a site by itself: the kind, and why it is left alone, empty if it is softened."""
    if isinstance(module, BetaModule):
        return type_before_parametrizations(module).__name__, "has a β of its own"
    if isinstance(module, nn.RNN | nn.RNNCell) and module.nonlinearity == "relu":
        return "rnn_relu", CALLS[torch.rnn_relu].reason
    call = MODULES.get(type_before_parametrizations(module))
    if call is None:
        return None
    return call.kind, INDICES if getattr(module, "return_indices", False) else call.reason


def layer_of(module: nn.Module) -> Layer | None:
    """Of a layer of PyTorch, and nothing that derives from it, the call that it makes; None unless it is softened."""
    call = MODULES.get(type(module))
    if call is None or call.bind is None or call.reason:
        return None
    _, *names = inspect.signature(call.bind).parameters
    return Layer(call, tuple(name for name in names if hasattr(module, name)))


def may_hold_sites(module: nn.Module) -> bool:
    """Whether a module may compute a nonlinearity itself, without being a site: torch.nn's own do not, but for one."""
    name = type_before_parametrizations(module).__module__
    return not name.startswith("torch.nn.modules.") or name == nn.modules.transformer.__name__


def rest(softening: Softening) -> None:
    """Where all calls are known, let modules alone that make none and name none: what runs in them is not watched."""
    if softening.unseen:
        return
    calling = {met.module for met in softening.met.values()}
    for name, module in softening.root.named_modules():
        part = part_of(module)
        if part is not None and name not in calling and not part.is_site:
            is_watched = _has_own_forward(module) or type(module).__module__ == nn.modules.transformer.__name__
            part.is_quiet = not (is_watched or isinstance(module, PAUSED) or may_call(module))


def _has_own_forward(module: nn.Module) -> bool:
    """Whether a forward had been put on the module itself."""
    forward = vars(module).get("forward")
    return isinstance(forward, Entry) and forward.own is not None


def scripted(softening: Softening) -> set[nn.Module]:
    """Enter what torch.jit has compiled into the report, and return these modules with all that is in them."""
    beneath: set[nn.Module] = set()
    for name, module in softening.root.named_modules():
        if isinstance(module, torch.jit.ScriptModule) and module not in beneath:
            softening.note(name, type(module).__name__, SCRIPTED)
            beneath.update(module.modules())
            continue
        if module in beneath or not may_hold_sites(module):
            continue
        for attribute, value in vars(module).items():
            if isinstance(value, torch.jit.ScriptFunction):
                softening.note(f"{name}.{attribute}".lstrip("."), attribute, SCRIPTED)
        for function in entries(type(module)).values():
            for called in function.__code__.co_names:
                value = function.__globals__.get(called)
                if isinstance(value, torch.jit.ScriptFunction):
                    softening.note(f"{name}: {called}", called, SCRIPTED)
    return beneath


def find_calls(softening: Softening, example_inputs: Any) -> None:
    """Find the calls of a softened model, on copies of it."""
    examples = None if example_inputs is None else list(_examples(example_inputs))
    for is_training in (False, True):
        probe = copy.deepcopy(softening.root)
        probe.train(is_training)
        part = part_of(probe)
        assert part is not None
        looking = part.softening
        looking.is_looking = True
        try:
            if examples is None:
                _capture(probe, Frame(looking, part.name, is_site=part.is_site, is_graph=part.is_graph))
            else:
                _run(probe, examples)
        except Exception as error:
            if examples is not None and not is_training:
                raise ValueError(
                    f"example_inputs must be what model takes, a tensor, a tuple of arguments, a dict of keyword "
                    f"arguments or a list of these; with them it raised {type(error).__name__}: {error}"
                ) from error
            lacks = _lacks(error, is_run=examples is not None)
            softening.unseen = f"{softening.unseen.removesuffix(lacks)} {lacks}".strip()
        softening.sites.update(looking.sites)
        for name, met in looking.met.items():
            softening.met.setdefault(name, met).channels.update(met.channels)


def _lacks(error: Exception, *, is_run: bool) -> str:
    shown = f"{type(error).__name__}: {error}".splitlines()[0]
    if is_run:
        return f"In train mode the model did not run on example_inputs ({shown}): its calls there are noted when made."
    return (
        f"The model's graph cannot be captured ({shown}): calls within forward are noted when the model makes them,"
        " or found beforehand with example_inputs."
    )


def _examples(given: Any) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for example in given if isinstance(given, list) else [given]:
        match example:
            case Tensor():
                yield (example,), {}
            case tuple():
                yield example, {}
            case dict():
                yield (), example
            case _:
                needs = "a tensor, a tuple of arguments, a dict of keyword arguments or a list of these"
                raise TypeError(f"example_inputs must be {needs}, got {type(example).__name__}")


def _run(probe: nn.Module, examples: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
    """Run the model without a trace: no gradients, no numbers drawn, no input overwritten, no warnings."""
    with torch.random.fork_rng(), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for args, kwargs in _copied(examples):
            probe(*args, **kwargs)


def _copied(inputs: Any) -> Any:
    """With copies of the tensors."""
    match inputs:
        case Tensor():
            return inputs.detach().clone()
        case list() | tuple():
            copies = [_copied(entry) for entry in inputs]
            return type(inputs)(*copies) if hasattr(inputs, "_fields") else type(inputs)(copies)
        case dict():
            return {key: _copied(entry) for key, entry in inputs.items()}
    return inputs


def _capture(probe: nn.Module, root: Frame) -> None:
    if _has_own_forward(probe):
        raise TypeError("its forward is not that of its class")
    looker = _Looker(probe)
    for name, module in probe.named_modules():  # torch.fx does not call the hooks of what it does not look into
        if module is not probe and looker.is_leaf_module(module, name) and may_call_in_hooks(module):
            raise TypeError(f"{name!r} has hooks that compute")
    running.is_capturing = True
    try:
        parameters = inspect.signature(probe.forward).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        with torch.random.fork_rng():  # torch.fx runs the forward of the root's class
            run(root, looker.trace, probe, concrete_args=defaults)
    finally:
        running.is_capturing = False
        running.frames.clear()


class _Looker(fx.Tracer):
    """Notes the calls that make the nodes of a graph; the graph itself is not kept."""

    def __init__(self, probe: nn.Module) -> None:
        super().__init__()
        self.installed = set(probe.modules())

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return isinstance(m, BetaModule) or not (may_hold_sites(m) or isinstance(m, nn.Sequential))

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        if m not in self.installed:  # built inside forward
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def create_node(self, kind: str, target: Any, args: Any, kwargs: Any, *others: Any, **named: Any) -> fx.Node:
        tables: dict[str, dict[Any, Call]] = {"call_function": CALLS, "call_method": METHODS}
        call = tables.get(kind, {}).get(target)
        frame = running.frames[-1] if running.frames else None
        if call is not None and frame is not None and not frame.is_paused:
            bound = call.arguments(args, kwargs)
            if bound is not None:
                frame.softening.look(frame, *frame.fate(call, bound), None)
        return super().create_node(kind, target, args, kwargs, *others, **named)
