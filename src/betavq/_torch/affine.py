"""The calls of a forward pass, and which of them are affine in what depends on the network's input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .hard_units import Units
from .pieces import PIECES

ADVICE = (
    "which is not known to be; harden it: put ReLU, LeakyReLU, PReLU, abs, hardtanh, max-pooling, maxout or "
    "betavq.nn's units at beta=1 in its place, and take logits in place of probabilities"
)
# By name, since one function comes as torch.abs, Tensor.abs and Tensor.abs_.
_DIMS = ("1d", "2d", "3d")


def _names(words: str, *, each_dim: str = "") -> frozenset[str]:
    """The words as names, and those that come for one, two and three dimensions."""
    return frozenset(words.split()) | {f"{kind}{dims}" for kind in each_dim.split() for dims in _DIMS}


#: Not computing on the numbers: sizes and other attributes.
PASSIVE = _names(
    "size sym_size dim ndimension numel nelement len stride get_device element_size hash type iter shape ndim dtype "
    "device layout requires_grad grad_fn"
)
#: Taking only shape and dtype from the input.
CONSTANT = _names("new_zeros new_ones new_full new_empty new_tensor zeros_like ones_like full_like empty_like")
#: Affine, with weights that are not negative: averages, copies, arrangements.
AVERAGING = _names(
    "view reshape flatten unflatten ravel permute transpose swapaxes swapdims movedim moveaxis t T mT squeeze "
    "unsqueeze expand expand_as view_as reshape_as contiguous clone to float double half bfloat16 cpu type_as getitem "
    "select narrow split chunk tensor_split unbind cat concat concatenate stack hstack vstack repeat tile "
    "repeat_interleave roll flip index_select mean sum pixel_shuffle pixel_unshuffle channel_shuffle dropout "
    "native_channel_shuffle feature_dropout alpha_dropout feature_alpha_dropout cumsum",
    each_dim="avg_pool adaptive_avg_pool dropout",
)
#: Affine in one of the operands, with the others as weights.
BILINEAR = _names(
    "mul multiply div divide true_divide matmul mm mv bmm einsum tensordot addmm linear",
    each_dim="conv conv_transpose",
)
#: Taking only shape or dtype from all but the first operand.
LIKE = _names("to type_as view_as reshape_as expand_as")
QUOTIENTS = _names("div divide true_divide")
#: Affine, with signs that depend on the arguments.
SIGNED = _names("add sub rsub subtract neg negative pad interpolate batch_norm diff")
KNOWN = AVERAGING | SIGNED | BILINEAR
# Python's operators have names of their own.
_OPERATORS = {"iadd": "add", "isub": "sub", "imul": "mul", "truediv": "div", "itruediv": "div"}
# Where the flag of the training mode stands.
_TRAINING = {"batch_norm": 5} | dict.fromkeys((name for name in AVERAGING if "dropout" in name), 2)
#: Both operands may depend on the input.
_OF_TWO = _names("max min maximum minimum fmax fmin")


def function_name(func: Any, args: tuple[Any, ...] = ()) -> str:
    """The name of a function, method, operator or attribute without the marks of in-place and of operators."""
    if func is getattr:
        return str(args[1])
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        return str(func.__self__.__name__)
    name = name.partition(".")[0].strip("_").removesuffix("_with_indices")
    return _OPERATORS.get(name, name)


class Step(NamedTuple):
    """A call of a function, with plain tensors.

    Attributes:
        name: of the function, by :func:`function_name`.
        args, kwargs: what it is called with.
        num_inputs: how many of its tensors depend on the network's input.
        starts_with_input: whether the first argument does.
        layer: the layer at work, in words.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    num_inputs: int
    starts_with_input: bool
    layer: str

    @property
    def is_constant(self) -> bool:
        """Whether its result depends on sizes and kinds alone."""
        return not self.num_inputs or self.name in CONSTANT or (self.name in LIKE and not self.starts_with_input)

    @property
    def is_passive(self) -> bool:
        """Whether it does not compute on the numbers."""
        return self.name in PASSIVE or (self.name.startswith("is_") and self.name != "is_nonzero")

    @property
    def place(self) -> str:
        """What errors call it."""
        return f"{self.name} in {self.layer}"

    def refusal(self, reason: str = ADVICE, by: str = "") -> ValueError:
        """What to raise where it is not piecewise affine."""
        return ValueError(f"model must be piecewise affine, got {self.name}{by} in {self.layer}, {reason}")

    def units(self) -> Units | None:
        """The units that it is; None if it is none of the table.

        Raises:
            ValueError: units of the table that are not piecewise affine as they are called here.
        """
        entry = PIECES.get(self.name)
        if entry is None:
            return None
        if not (self.name in _OF_TWO or (self.num_inputs == 1 and self.starts_with_input)):
            raise self.refusal(by=" by a function of x")
        options = {name: value for name, value in self.kwargs.items() if name != "inplace"}
        try:
            return entry.units(*self.args, **options)
        except ValueError as error:
            raise self.refusal(str(error)) from error

    def check_affine(self) -> None:
        """Raise unless it is affine in what depends on the network's input."""
        if not (self.name in KNOWN or self.is_passive) or self.kwargs.get("rounding_mode"):
            raise self.refusal()
        if self.name in BILINEAR:
            self._check_weights()
        place = _TRAINING.get(self.name)
        is_dropout = "dropout" in self.name
        if place is None or (is_dropout and self._given(1, "p", 0.5) == 0):
            return
        if self._given(place, "training", is_dropout):
            raise ValueError(f"model must be in eval mode, got {self.place} that depends on its batch or on chance")

    def _given(self, place: int, name: str, default: Any) -> Any:
        """An argument by its place or name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def _check_weights(self) -> None:
        """Raise unless the weights of a linear operation do not depend on the input."""
        if self.num_inputs > 1 or (self.name in QUOTIENTS and not self.starts_with_input):
            raise self.refusal(by=" by a function of x")


def leaves(value: Any) -> Iterator[Any]:
    """All that arguments hold, in tuples, lists, dicts and slices."""
    match value:
        case tuple() | list():
            for each in value:
                yield from leaves(each)
        case dict():
            yield from leaves(list(value.values()))
        case slice():
            yield from leaves((value.start, value.stop, value.step))
        case _:
            yield value
