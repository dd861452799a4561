"""Arithmetic that is stated once and runs in three places: the page's shader, its script, and Python.

A program is a list of steps, ``name = expression``. Expressions use numbers with a decimal point, names, ``+ - * /``
and the functions of :data:`FUNCTIONS`: text that means the same in GLSL, in JavaScript and in Python.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FUNCTIONS: dict[str, Any] = {
    "exp": np.exp,
    "sqrt": np.sqrt,
    "pow": np.power,
    "abs": np.abs,
    "cos": np.cos,
    "sin": np.sin,
    "min": np.minimum,
    "max": np.maximum,
    "clamp": np.clip,
    "mix": lambda a, b, share: a + (b - a) * share,
    "step": lambda edge, v: np.where(np.asarray(v) < edge, 0.0, 1.0),
    "smoothstep": lambda low, high, v: (lambda s: s * s * (3 - 2 * s))(np.clip((v - low) / (high - low), 0, 1)),
}

#: What of it JavaScript has not.
SCRIPT_FUNCTIONS = """const { exp, sqrt, pow, abs, cos, sin, min, max } = Math;
const clamp = (v, low, high) => min(max(v, low), high), mix = (a, b, share) => a + (b - a) * share;
const step = (edge, v) => (v < edge ? 0 : 1);
const smoothstep = (low, high, v) => { const s = clamp((v - low) / (high - low), 0, 1); return s * s * (3 - 2 * s); };
"""

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # not the e of 1.5e-07


def number(value: float) -> str:
    """A number as all three languages read it, to 7 digits: single precision has no more."""
    text = repr(float(f"{value:.7g}"))
    return f"({text})" if value < 0 else text


@dataclass
class Program:
    """Steps that follow from inputs; each step may use the inputs and the steps before it.

    Args:
        inputs: names of the numbers that come from outside.
    """

    inputs: tuple[str, ...]
    steps: dict[str, str] = field(default_factory=dict)

    def let(self, name: str, expression: str) -> str:
        """Add a step and give its name.

        Raises:
            ValueError: the name is taken, or the expression uses one that is not known yet.
        """
        known = {*self.inputs, *self.steps, *FUNCTIONS}
        if name in known:
            raise ValueError(f"name must be new, got {name!r}")
        if strangers := set(_NAME.findall(expression)) - known:
            raise ValueError(f"expression must use known names, got {', '.join(sorted(strangers))}")
        self.steps[name] = expression
        return name

    def needed(self, outputs: Sequence[str]) -> dict[str, str]:
        """The steps without which the outputs cannot be had, in their order."""
        wanted, kept = set(outputs), {}
        for name, expression in reversed(self.steps.items()):
            if name in wanted:
                kept[name] = expression
                wanted.update(_NAME.findall(expression))
        return dict(reversed(kept.items()))

    def glsl(self, outputs: Sequence[str]) -> str:
        """The steps as statements of GLSL."""
        return "".join(f"float {name} = {expression};\n" for name, expression in self.needed(outputs).items())

    def javascript(self, outputs: Sequence[str], moving: Sequence[str]) -> str:
        """A function of the inputs that stand still, giving ``(moving…, out, at)``: it writes the outputs into out."""
        steps = "".join(f"const {name} = {expression};\n" for name, expression in self.needed(outputs).items())
        still = [name for name in self.inputs if name not in moving and re.search(rf"\b{name}\b", steps)]
        writes = "".join(f"out[at + {place}] = {name};\n" for place, name in enumerate(outputs))
        return f"({{ {', '.join(still)} }}) => ({', '.join(moving)}, out, at) => {{\n{steps}{writes}}}"

    def run(self, outputs: Sequence[str], **inputs: Any) -> list[Any]:
        """The outputs by NumPy, at inputs that broadcast."""
        values: dict[str, Any] = {name: np.asarray(value, dtype=float) for name, value in inputs.items()}
        for name, expression in self.needed(outputs).items():
            values[name] = eval(expression, {"__builtins__": {}}, {**FUNCTIONS, **values})
        return [values[name] for name in outputs]
