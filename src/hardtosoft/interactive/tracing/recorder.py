"""Watches a figure function at work: operators become nodes, texts keep places for numbers, questions become guards.

Real values flow while it runs, so that a function may ask whether a number is 0 or which of four is largest: the
answer is written down, and the record holds wherever the answers are the same. What leaves tensors in another way
would freeze a number into the page, and is refused with the line that did it.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from .graph import Graph
from .operators import SHAPES, Calls, decomposition
from .places import UnknownOperatorError

#: A number in a text: its node, its format, and its signs, so that texts may be given others: ``replace("-", "−")``.
_PLACE = "\x02{node}|{spec}|{plus}|-\x03"
PLACES = re.compile("\x02(\\d+)\\|([^|]*)\\|([^|]*)\\|([^\x03]*)\x03")
_OURS = r"/(hardtosoft(?!/interactive/tracing)|betavq|tests)/"
_LEAKS = {"__float__", "__complex__", "__array__", "__repr__", "__str__", "__contains__", "numpy"}
#: What makes a tensor of numbers and lists.
FACTORIES = {"tensor", "as_tensor", "asarray", "scalar_tensor"}


class TraceError(Exception):
    """A number of a figure left tensors in a way that no page can follow."""

    def __init__(self, what: str) -> None:
        ours = [
            frame for frame in traceback.extract_stack() if re.search(r"/(hardtosoft|betavq|tests)/", frame.filename)
        ]
        own = [frame for frame in ours if "/interactive/tracing/" not in frame.filename]
        place = f" at {own[-1].filename}:{own[-1].lineno}: {own[-1].line}" if own else ""
        super().__init__(f"a traced figure must stay in torch from its axes to its frame; {what}{place}")


class Guard(NamedTuple):
    """A question that was asked of a number, and the answer."""

    node: int
    answer: bool | int


class Recorder(ExitStack):
    """While it is entered, everything that is done to its inputs goes into a graph."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph, self.guards = graph, list[Guard]()
        self._calls = Calls(graph, self.node)
        self._settling = True
        self._nodes: dict[Any, int] = {}
        self._kept: list[Tensor] = []  # for whose memory is freed might lend its address to another

    def __enter__(self) -> Recorder:
        super().__enter__()
        self.enter_context(_Exits(self))
        self.enter_context(_Operators(self))
        _active.append(self)
        self.callback(_active.pop)
        return self

    def input(self, name: str, value: float | Sequence[float]) -> Tensor:
        """A number, or a row of numbers, that a reader may change."""
        tensor = torch.tensor(value, dtype=torch.float64)
        self.bind(tensor, self.graph.add("input", (), tensor.shape, name))
        return tensor

    def bind(self, tensor: Tensor, node: int) -> None:
        """From now on the tensor, and any other that shares all of its memory, is the node."""
        self._nodes[_memory(tensor)] = node
        self._kept.append(tensor)

    def traces(self, value: Any) -> bool:
        """Whether a tensor, or one in a list, depends on the inputs."""
        if isinstance(value, Tensor):
            found = self._found(value)
            return found is not None and self.graph.moves(found)
        return isinstance(value, list | tuple) and any(map(self.traces, value))

    def forget(self, changed: Tensor) -> None:
        """What was known of constants in a memory whose numbers change."""
        self._nodes = {at: node for at, node in self._nodes.items() if at[0] != changed.untyped_storage().data_ptr()}

    def node(self, tensor: Tensor) -> int:
        """Of a tensor; one that does not depend on the inputs is a constant, or made of fewer constants."""
        found = self._found(tensor)
        if found is None:
            return self.graph.constant(values_of(tensor))
        if self._settling and not self.graph.moves(found):
            return self.graph.kept(found, lambda: values_of(tensor))
        return found

    def _found(self, tensor: Tensor) -> int | None:
        return self._nodes.get(_memory(tensor)) if tensor.numel() else None

    def called(
        self, function: Any, args: Sequence[Any], kwargs: dict[str, Any], out: Any, *, moves: bool
    ) -> list[int]:
        """The nodes of an operator's results, also of one on constants: it may give more numbers than it takes.

        Raises:
            TraceError: pages know no such operator.
        """
        self._settling = moves
        try:
            return self._calls.nodes(function, args, kwargs, out)
        except UnknownOperatorError as error:
            if not moves:
                return []
            raise TraceError(f"pages do not know the operator {error}") from error
        finally:
            self._settling = True


_active: list[Recorder] = []


def traced(value: Any) -> bool:
    """Whether a value, or one in a list, depends on the inputs of the record that is being made."""
    return bool(_active) and _active[-1].traces(value)


def stacked(value: Any) -> Tensor:
    """A tensor of numbers and tensors in lists, as ``torch.tensor`` makes one of numbers alone."""
    if isinstance(value, list | tuple):
        return torch.stack([stacked(item) for item in value])
    return value.double() if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float64)


def values_of(tensor: Tensor) -> np.ndarray[Any, Any]:
    """A tensor's numbers, without a trace."""
    with _disable_current_modes():
        return np.asarray(tensor.detach().double().resolve_neg().numpy()).copy()


def _memory(tensor: Tensor) -> tuple[Any, ...]:
    place = tensor.untyped_storage().data_ptr(), tensor.storage_offset()
    return (*place, tuple(tensor.shape), tensor.stride(), tensor.dtype)


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Below autograd, whose own operators are recorded too."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recorder = recorder

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, function.overloadpacket.__name__
        recorder, changes = self._recorder, function._schema.is_mutable
        moves = any(map(recorder.traces, (*args, *kwargs.values())))
        if changes and not moves:
            recorder.forget(args[0])
        if changes or not (moves or _takes_tensors(args)):
            return self._changed(function, args, kwargs) if moves else function(*args, **kwargs)
        if moves and name == "_local_scalar_dense":
            raise TraceError("a number was read")
        if moves and (written_out := decomposition(function)):
            with self:
                return written_out(*args, **kwargs)
        out = function(*args, **kwargs)
        if name not in SHAPES:
            nodes = recorder.called(function, args, kwargs, out, moves=moves)
            if nodes:
                for tensor, node in zip([out] if isinstance(out, Tensor) else out, nodes, strict=True):
                    recorder.bind(tensor, node)
        return out

    def _changed(self, function: Any, args: Any, kwargs: Any) -> Any:
        """In place: recorded first, while the tensor still has its old numbers."""
        if args[0].numel() * args[0].element_size() < args[0].untyped_storage().nbytes():
            raise TraceError(f"{function.overloadpacket.__name__} changes a part of a tensor")
        (node,) = self._recorder.called(function, args, kwargs, args[0], moves=True)
        out = function(*args, **kwargs)
        self._recorder.bind(out, node)
        return out


class _Exits(TorchFunctionMode):
    """Above autograd, where Python asks tensors for texts, truths and numbers."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        first: Any = args[0] if args else None
        if not any(map(self._recorder.traces, (*args, *kwargs.values()))):
            return function(*args, **kwargs)
        if name == "__getitem__" and isinstance(args[1], Tensor) and not args[1].dim() and args[1].dtype != torch.bool:
            return first.index_select(0, args[1].reshape(1))[0]  # a place would else be read
        if name == "one_hot":  # PyTorch's own reads how many classes there are
            return (first.unsqueeze(-1) == torch.arange(args[1])).long()
        if name in FACTORIES:
            return stacked(first).clone().to(kwargs.get("dtype") or torch.float64)
        if name in ("full", "full_like", "new_full"):
            shape = first.shape if name == "full_like" else args[0] if name == "full" else args[1]
            return kwargs.get("fill_value", args[-1]).expand(shape).clone()
        if name in ("item", "tolist"):
            return unbound(first.detach()) if name == "tolist" else first.detach().reshape(())
        if name == "__format__":
            return self._place(first, args[1])
        if name in ("__bool__", "__int__", "__index__"):
            return self._answer(first, bool if name == "__bool__" else int)
        if name in _LEAKS:
            raise TraceError(f"{name} was asked of a traced tensor")
        return function(*args, **kwargs)

    def _place(self, tensor: Tensor, spec: str) -> str:
        if tensor.dim() or (not spec and tensor.dtype.is_floating_point):
            raise TraceError(f"a text needs one number and its format, got shape {tuple(tensor.shape)} and {spec!r}")
        plus = "+" if spec.startswith("+") else ""
        return _PLACE.format(node=self._recorder.node(tensor), spec=spec.removeprefix("+"), plus=plus)

    def _answer(self, tensor: Tensor, kind: type[bool] | type[int]) -> bool | int:
        answer = kind(values_of(tensor).item())
        self._recorder.guards.append(Guard(self._recorder.node(tensor), answer))
        return answer


def _takes_tensors(args: Sequence[Any]) -> bool:
    flat = [item for arg in args for item in (arg if isinstance(arg, list | tuple) else [arg])]
    return any(isinstance(item, Tensor) for item in flat)


def unbound(tensor: Tensor) -> Any:
    """A tensor's numbers as tensors in lists, as ``tolist`` gives them as numbers."""
    return [unbound(part) for part in tensor.unbind(0)] if tensor.dim() else tensor
