"""A network as a graph of affine steps and nonlinear units, in float64 on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..._torch.affine import Step, function_name, leaves
from ..._torch.copies import copied
from ..._torch.hard_units import Units
from .checks import check_model, hardened
from .own_layers import OWN_LAYERS, check_step_hard, find_units
from .tracing import is_in_place, trace

Values = dict[fx.Node, Any]


@dataclass(frozen=True)
class Layer:
    """A layer of units of a network, in the order in which the forward pass meets them.

    Attributes:
        name: of the step, with its kind.
        num_units: how many units it has.
        num_pieces: R, among how many pieces each of them selects.

    Example:
        >>> from torch import nn
        >>> from betavq.geometry import partition
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
        >>> _ = nn.init.eye_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> partition(net, [(-1, -1), (1, -1), (1, 1), (-1, 1)]).layers
        (Layer(name="layer '1' (ReLU)", num_units=2, num_pieces=2),)
    """

    name: str
    num_units: int
    num_pieces: int


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

    def __init__(self, model: Any, *, any_beta: bool = False) -> None:
        check_model(model, any_beta=any_beta)
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
        own = copied(model) if (hard := hardened(model)) is model else hard
        self.model: nn.Module = (nn.Sequential(own) if isinstance(own, OWN_LAYERS) else own).cpu().double()
        self.any_beta = any_beta
        self.input, nodes, self.output = trace(self.model)
        self._layers = dict(self.model.named_modules())
        self._units = dict[fx.Node, Units | None]()
        self._dependent, self._plain, self._sized = {self.input}, set[fx.Node](), set[fx.Node]()
        self.nodes, self._constants = list[fx.Node](), Values()
        for node in nodes:
            if self._dependent.intersection(node.all_input_nodes):
                self._dependent.add(node)
                self.nodes.append(node)
            else:
                self._constants[node] = self._computed(node, self._constants)
        self._last_use = {used: node for node in self.nodes for used in node.all_input_nodes}

    def layer(self, node: fx.Node) -> tuple[str, nn.Module]:
        """The innermost layer at work in a step."""
        name = str(node.target) if node.op == "call_module" else ""
        for name, _ in node.meta.get("nn_module_stack", {}).values():  # noqa: B007
            pass
        return name, self._layers[name]

    def name(self, node: fx.Node) -> str:
        """What results call a step."""
        name, layer = self.layer(node)
        if type(layer).__module__.startswith(("torch.nn.modules.", "betavq.")):
            return f"layer '{name}' ({type(layer).__name__})"
        return f"{node.name} ({getattr(node.target, '__name__', node.target)})"

    def is_data(self, node: Any, values: Values) -> bool:
        """Whether the value of a step has a row for each row of the input, and not only sizes or constants."""
        return self._depends(node, values) and isinstance(values[node], Tensor)

    def _depends(self, node: Any, values: Values) -> bool:
        """Whether tensors of a step depend on the input's numbers."""
        if not isinstance(node, fx.Node) or node not in self._dependent or node in self._plain:
            return False
        return any(isinstance(each, Tensor) for each in leaves(values[node]))

    def step(self, node: fx.Node, values: Values) -> Step:
        """A step with its arguments as they are now."""
        given = [self._depends(each, values) for each in leaves((node.args, node.kwargs))]
        name, layer = self.layer(node)
        words = f"layer '{name}' ({type(layer).__name__})" if name else f"the model ({type(layer).__name__})"
        args, kwargs = self._arguments(node, values)
        called = function_name(node.target, args) if node.op != "call_module" else type(layer).__name__
        return Step(called, args, kwargs, sum(given), given[0], words)

    def units(self, node: fx.Node, values: Values) -> tuple[Units, Tensor] | None:
        """The nonlinear units that a step is, with their scores; None if it is affine.

        Raises:
            ValueError: it is neither.
        """
        if node not in self._units:
            self._units[node] = self._find_units(node, self.step(node, values))
        units = self._units[node]
        if units is None:
            return None
        args, kwargs = self._arguments(node, values)
        return units, units.scores(*args, **kwargs)

    def _find_units(self, node: fx.Node, step: Step) -> Units | None:
        if step.is_constant:
            self._plain.add(node)
            return None
        called = self.layer(node)[1] if node.op == "call_module" else node.target
        if isinstance(called, _BatchNorm):
            is_training = called.training or called.running_mean is None
            step = step._replace(name="batch_norm", kwargs={"training": is_training})
        found = find_units(step, called)
        if found is None:
            return None
        if not self.any_beta:
            check_step_hard(step, found.beta)
        return found.units

    def source(self, node: fx.Node) -> Any:
        """The first argument of a step."""
        return node.args[0] if node.args else node.kwargs.get("input")

    def store(self, node: fx.Node, values: Values, value: Any) -> None:
        """Keep the value of units, and drop what no later step needs."""
        values[node] = value
        if is_in_place(node, self.model):
            values[self.source(node)] = value
        self.forget(node, values)

    def check_in_place(self, node: fx.Node, values: Values) -> None:
        """Raise if a step changes numbers in place that a later step takes from another tensor, as a view has them."""
        source = self.source(node)
        if not is_in_place(node, self.model) or not self.is_data(source, values):
            return
        place, memory = self.nodes.index(node), values[source].untyped_storage().data_ptr()
        later = {self.output}.union(*(each.all_input_nodes for each in self.nodes[place + 1 :]))
        for other in later.intersection(values) - {source}:
            value = values[other]
            if isinstance(value, Tensor) and value.untyped_storage().data_ptr() == memory:
                got = f"got {self.step(node, values).place}, whose numbers a later step takes from {other.name}"
                raise ValueError(f"model must not change a view in place, {got}: take inplace=False there")

    def forget(self, node: fx.Node, values: Values) -> None:
        """Drop the values that no step after ``node`` needs."""
        for used in node.all_input_nodes:
            if self._last_use[used] is node and used is not self.output and used not in self._sized:
                values.pop(used, None)

    def compute(self, node: fx.Node, values: Values) -> None:
        """Keep the value of an affine step."""
        value = values[node] = self._computed(node, values)
        if node not in self._plain and isinstance(value, Tensor) and not value.is_floating_point():
            raise self.step(node, values).refusal("which must put out floating numbers")
        if not self.is_data(node, values):
            self._sized.update(node.all_input_nodes)  # to compute it again once the number of rows has changed

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

    def start(self, rows: Tensor) -> Values:
        """What is known before the first step."""
        return {self.input: rows, **self._constants}

    def follow(self, rows: Tensor, select: Callable[[fx.Node, Units, Tensor], Tensor]) -> Tensor:
        """The output on rows of inputs, where ``select`` says what units put out, on the same rows."""
        values = self.start(rows)
        for node in self.nodes:
            found = self.units(node, values)
            if found is None:
                self.compute(node, values)
                self.forget(node, values)
            else:
                units, scores = found
                output = units.sign * select(node, units, scores.flatten(1))
                self.store(node, values, output.reshape(len(rows), *units.out_shape))
        result: Tensor = values[self.output]
        return result

    def layer_of(self, node: fx.Node, units: Units) -> Layer:
        """What results say of a layer of units."""
        return Layer(self.name(node), math.prod(units.out_shape), units.num_pieces)

    def update_sizes(self, values: Values) -> None:
        """Bring up to date what was computed from the number of rows before it changed."""
        for node in self.nodes:
            if node in values and not self.is_data(node, values):
                self.compute(node, values)

    def _arguments(self, node: fx.Node, values: Values) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: Any = fx.map_arg(node.args, values.__getitem__)
        kwargs: Any = fx.map_arg(node.kwargs, values.__getitem__)
        return args, kwargs
