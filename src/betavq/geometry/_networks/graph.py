"""A network as a graph of affine steps and nonlinear units, in float64 on the CPU."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from ... import functional as beta_functional
from ... import pooling as beta_pooling
from ..._beta_module import BetaModule
from ..._torch.affine_steps import is_affine
from ...maso import MASO
from .checks import check_model
from .unit_steps import is_in_place, units_of
from .units import Layer, Maxima, Units
from .watch import ADVICE

Values = dict[fx.Node, Any]


class _Tracer(fx.Tracer):
    """Traces through a model's own modules, down to PyTorch's layers and ours."""

    def __init__(self) -> None:
        super().__init__(autowrap_modules=(math, beta_functional, beta_pooling))  # type: ignore[arg-type]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, BetaModule | MASO) or super().is_leaf_module(m, module_qualified_name)


class Survey(NamedTuple):
    """What a network is like.

    Attributes:
        layers: its layers of units, in order.
        widest: the most numbers that a step is given or puts out for one input.
        num_outputs: C.
    """

    layers: dict[fx.Node, Layer]
    widest: int
    num_outputs: int


class Graph:
    """The steps of a network from its input to its logits.

    Attributes:
        model: the copy of the network whose steps they are.
        input: where they start.
        nodes: the steps in order, those that the output does not need left out.
        output: the step whose value the network returns.

    Raises:
        TypeError: ``model`` is no module.
        ValueError: in training mode, NaN or infinity among the weights, or a forward pass that cannot be traced.
    """

    def __init__(self, model: Any) -> None:
        check_model(model)
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
        self.model: nn.Module = copy.deepcopy(model).cpu().double()
        try:
            graph = _Tracer().trace(self.model)
        except Exception as error:
            raise ValueError(
                f"model must have a forward pass that torch.fx can trace, without branches on values; it said: {error}"
            ) from error
        inputs = [node for node in graph.nodes if node.op == "placeholder"]
        (output,) = next(node for node in graph.nodes if node.op == "output").args
        if len(inputs) != 1 or not isinstance(output, fx.Node):
            raise ValueError(f"model must take one tensor and return one, got {', '.join(n.name for n in inputs)}")
        self.graph, self.input, self.output = graph, inputs[0], output
        self._layers = dict(self.model.named_modules())
        self.nodes = self._needed()
        self._last_use = {used: node for node in self.nodes for used in node.all_input_nodes}
        self._sized = set[fx.Node]()
        self._dependent = {self.input}
        for node in self.nodes:
            if self._dependent.intersection(node.all_input_nodes):
                self._dependent.add(node)

    def _needed(self) -> list[fx.Node]:
        needed, nodes = {self.output}, list[fx.Node]()
        for node in reversed(self.graph.nodes):
            if node.op in ("placeholder", "output"):
                continue
            if node in needed or is_in_place(self.layer(node), node.target, dict(node.kwargs)):
                needed.update(node.all_input_nodes)
                nodes.append(node)
        return nodes[::-1]

    def layer(self, node: fx.Node) -> nn.Module | None:
        """The layer that a step calls, or None for a function or method."""
        return self._layers[str(node.target)] if node.op == "call_module" else None

    def name(self, node: fx.Node) -> str:
        """What errors and results call a step."""
        layer = self.layer(node)
        if layer is not None:
            return f"layer '{node.target}' ({type(layer).__name__})"
        return f"{node.name} ({getattr(node.target, '__name__', node.target)})"

    def is_data(self, node: Any, values: Values) -> bool:
        """Whether the value of a step has a row for each row of the input, and not only sizes or constants."""
        return node in self._dependent and isinstance(values[node], Tensor)

    def units(self, node: fx.Node, values: Values) -> Units | None:
        """The nonlinear units that a step is; None if it is affine.

        Raises:
            ValueError: it is neither.
        """
        inputs = [used for used in node.all_input_nodes if self.is_data(used, values)]
        if not inputs:
            return None
        layer, source = self.layer(node), self.source(node)
        args, kwargs = self._arguments(node, values)
        if source in inputs and len(inputs) == 1:
            rest = {name: value for name, value in kwargs.items() if name not in ("input", "inplace")}
            try:
                found = units_of(layer, node.target, (values[source], *args[1:]), rest)
            except ValueError as error:
                raise ValueError(f"{self.name(node)} of model {error}") from error
            if found is not None:
                return found
        if not is_affine(layer, node.target, args, kwargs, len(inputs), source in inputs):
            raise ValueError(f"model must be piecewise affine, got {self.name(node)}, {ADVICE}")
        return None

    def source(self, node: fx.Node) -> Any:
        """The first argument of a step."""
        return node.args[0] if node.args else node.kwargs.get("input")

    def scores(self, node: fx.Node, units: Units, values: Values) -> Tensor:
        """What units are given, with its batch."""
        value: Tensor = values[self.source(node)]
        return units.entries(value) if isinstance(units, Maxima) and units.entries is not None else value

    def store(self, node: fx.Node, values: Values, value: Any) -> None:
        """Keep the value of units, and drop what no later step needs."""
        values[node] = value
        if is_in_place(self.layer(node), node.target, dict(node.kwargs)):
            values[self.source(node)] = value
        self.forget(node, values)

    def forget(self, node: fx.Node, values: Values) -> None:
        """Drop the values that no step after ``node`` needs."""
        for used in node.all_input_nodes:
            if self._last_use[used] is node and used is not self.output and used not in self._sized:
                values.pop(used, None)

    def compute(self, node: fx.Node, values: Values) -> Any:
        """The value of an affine step."""
        value = self._computed(node, values)
        if node in self._dependent and not isinstance(value, Tensor):
            self._sized.update(node.all_input_nodes)  # to compute it again once the number of rows has changed
        return value

    def _computed(self, node: fx.Node, values: Values) -> Any:
        args, kwargs = self._arguments(node, values)
        if node.op == "call_module":
            return self._layers[str(node.target)](*args, **kwargs)
        if node.op == "get_attr":
            value: Any = self.model
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        function: Any = node.target
        return function(*args, **kwargs)

    def follow(self, rows: Tensor, select: Callable[[fx.Node, Units, Tensor], Tensor]) -> Tensor:
        """The output on rows of inputs, where ``select`` says what units put out, on the same rows."""
        values: Values = {self.input: rows}
        for node in self.nodes:
            units = self.units(node, values)
            if units is None:
                values[node] = self.compute(node, values)
                self.forget(node, values)
            else:
                output = select(node, units, self.scores(node, units, values))
                self.store(node, values, output.reshape(len(rows), *units.out_shape))
        output = values[self.output]
        if not isinstance(output, Tensor) or output.dim() == 0 or len(output) != len(rows):
            raise ValueError("model must return one row for each input")
        return output

    def survey(self, row: Tensor) -> Survey:
        """Follow the network on one input, ``(1, …)``, to see how large its steps are.

        Raises:
            ValueError: it does not take such an input, or is not piecewise affine.
        """
        widths, layers = [row.numel()], dict[fx.Node, Layer]()

        def zeros(node: fx.Node, units: Units, scores: Tensor) -> Tensor:
            layers[node] = self.layer_of(node, units)
            widths.append(max(scores.numel(), layers[node].num_units * units.num_pieces))
            return torch.zeros(1, *units.out_shape, dtype=torch.float64)

        try:
            output = self.follow(row, zeros)
        except RuntimeError as error:
            raise ValueError(f"model must take inputs of shape {('N', *row.shape[1:])}; it said: {error}") from error
        return Survey(layers, max(*widths, output.numel()), output.numel())

    def layer_of(self, node: fx.Node, units: Units) -> Layer:
        """What results say of a layer of units."""
        return Layer(self.name(node), math.prod(units.out_shape), units.num_pieces)

    def update_sizes(self, values: Values) -> None:
        """Bring up to date what was computed from the number of rows before it changed."""
        for node in self.nodes:
            if node in values and node in self._dependent and not isinstance(values[node], Tensor):
                values[node] = self.compute(node, values)

    def _arguments(self, node: fx.Node, values: Values) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: Any = fx.map_arg(node.args, values.__getitem__)
        kwargs: Any = fx.map_arg(node.kwargs, values.__getitem__)
        return args, kwargs
