r"""Named nonlinearities, softened by β: β-VQ units of two pieces, in the signatures of ``torch.nn.functional``.

Each is the :func:`betavq.value` of its pieces, written as input × expected slope, u being the input:

============================  =============  ================================================  ==========
function                      pieces         value, η = β/(1−β)                                β = 0
============================  =============  ================================================  ==========
:func:`beta_relu`             0, u           :math:`u\,\sigma(\eta u)` (swish; SiLU at β = ½)    u/2
:func:`beta_leaky_relu`       νu, u          :math:`u\,[\nu+(1-\nu)\,\sigma(\eta|1-\nu|u)]`      u(1+ν)/2
:func:`beta_abs`              −u, u          :math:`u \tanh(\eta u)`                             0
============================  =============  ================================================  ==========

Those of many pieces, :func:`beta_maxout`, :func:`beta_max_pool1d` and :func:`beta_max_pool2d`, are
:mod:`betavq.pooling`'s. At β = 1 these are bit for bit PyTorch's functions. What holds for all three:

* float16, bfloat16, float32 and float64; the result has the input's dtype. 16-bit floats are computed in float32.
* β is a number, or a floating tensor that broadcasts against the input (a gradient flows to it).
* An infinite input gives the limit, never NaN: ReLU(±∞) for 0 < β ≤ 1 and u/2 at β = 0, and so on. So does its
  gradient in the input; it sends no gradient to β.
* Numbers are always checked. A tensor's values are read only in plain eager mode and on the CPU: on an accelerator
  the reading would wait for the device, and under compile, export or ``torch.func`` there is nothing to read. A β
  outside [0, 1] is not noticed there, and its results mean nothing.
* With ``detach_code=True`` the backward pass takes the code, which weighs the pieces, for fixed, as the M-step of EM
  does: the value is the same, the gradient goes through the pieces alone. In the input it is the expected slope, which
  for the ReLU is the gate σ(ηu) in place of σ + ηuσ' (in the slope ν it is u(1−σ)). The derivative in β stays whole.
* The derivative in β is (1+η)²u²σ(ηu)σ(−ηu) for the ReLU (u²/4 at β = 0) and 0 at β = 1, which is its limit.

Where \|ηu\| (η\|1−ν\|\|u\| for leaky) exceeds 87 (708 in float64) the unit has saturated: it is its hard function
there, from which it differs by less than the smallest normal number times \|u\|.

Source: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, β-VQ inference.
"""

from __future__ import annotations

from torch import Tensor

from ._numerics.checks import check_beta, check_broadcast, check_flag, check_floating, check_slope
from ._numerics.dtypes import compute_dtype
from ._numerics.tracing import Proxy, function_step
from ._two_pieces import units
from .pooling import beta_max_pool1d, beta_max_pool2d, beta_maxout

__all__ = ["beta_abs", "beta_leaky_relu", "beta_max_pool1d", "beta_max_pool2d", "beta_maxout", "beta_relu"]
__dir__ = __all__.copy


def beta_relu(input: Tensor, *, beta: float | Tensor, inplace: bool = False, detach_code: bool = False) -> Tensor:
    r"""β-VQ ReLU, known as swish: ``input`` · σ(η · ``input``) with η = β/(1−β).

    ``F.relu`` at β = 1, ``F.silu`` at β = ½, ``input / 2`` at β = 0. It lies below the ReLU by at most 0.278465/η and
    has its minimum −0.278465/η at −1.278465/η.

    Args:
        input: any shape; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a number, or a tensor that broadcasts against ``input``.
        inplace: whether the result is written over ``input``, as by ``F.relu``.
        detach_code: whether the backward pass takes the code for a constant: see above.

    Returns:
        Shape of ``input`` (broadcast with ``beta``), its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN, or of a shape that does not broadcast, or with ``inplace`` one that
            enlarges the result.
        TypeError: ``input`` not a floating tensor, ``beta`` not a number or floating tensor, ``inplace`` or
            ``detach_code`` not a bool.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ; swish: Ramachandran et al. (2017), arXiv 1710.05941.

    Example:
        >>> import torch
        >>> import torch.nn.functional as F
        >>> from betavq.functional import beta_relu
        >>> u = torch.tensor([-2.0, 0.0, 2.0])
        >>> beta_relu(u, beta=1.0)  # the ReLU
        tensor([0., 0., 2.])
        >>> beta_relu(u, beta=0.5)  # the SiLU
        tensor([-0.2384,  0.0000,  1.7616])
        >>> torch.allclose(beta_relu(u, beta=0.5), F.silu(u))
        True
    """
    if isinstance(input, Proxy):
        return function_step(beta_relu, input, beta=beta, inplace=inplace, detach_code=detach_code)
    check_floating("input", input)
    check_flag("inplace", inplace)
    check_flag("detach_code", detach_code)
    compute = units.relu_ if inplace else units.relu
    return compute(input, _check_beta(beta, input), detach_code)


def beta_leaky_relu(
    input: Tensor,
    negative_slope: float | Tensor = 0.01,
    *,
    beta: float | Tensor,
    inplace: bool = False,
    detach_code: bool = False,
) -> Tensor:
    r"""β-VQ leaky ReLU: u · [ν + (1−ν) σ(η|1−ν|u)] with u the input, ν the slope and η = β/(1−β).

    ``F.leaky_relu`` at β = 1 for every slope, those above 1 included, where the unit is the smaller of its pieces;
    ``input * ((1 + ν) / 2)`` at β = 0. One case differs from PyTorch: slope 0 takes −∞ to 0, not to NaN.

    Args:
        input: any shape; float16, bfloat16, float32 or float64.
        negative_slope: ν, finite in the dtype of the computation; a number, or a tensor that broadcasts against
            ``input`` (a gradient flows to it), of shape ``(C, 1, 1)`` for one per channel of ``(N, C, H, W)``.
        beta: hardness in [0, 1]; a number, or a tensor that broadcasts against ``input``.
        inplace: whether the result is written over ``input``, as by ``F.leaky_relu``.
        detach_code: whether the backward pass takes the code for a constant: see above.

    Returns:
        Shape of ``input`` (broadcast with ``beta`` and ``negative_slope``), its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1]; ``negative_slope`` not finite; a shape that does not broadcast, or with
            ``inplace`` one that enlarges the result.
        TypeError: ``input`` not a floating tensor, ``beta`` or the slope not a number or floating tensor, ``inplace``
            or ``detach_code`` not a bool.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ of the pieces νu and u.

    Example:
        >>> import torch
        >>> from betavq.functional import beta_leaky_relu
        >>> u = torch.tensor([-2.0, 1.0])
        >>> beta = torch.tensor([[0.0], [0.5], [1.0]])  # linear, soft, hard
        >>> beta_leaky_relu(u, 0.25, beta=beta)
        tensor([[-1.2500,  0.6250],
                [-0.7736,  0.7594],
                [-0.5000,  1.0000]])
    """
    if isinstance(input, Proxy):
        options = {"beta": beta, "inplace": inplace, "detach_code": detach_code}
        return function_step(beta_leaky_relu, input, negative_slope, **options)
    check_floating("input", input)
    check_flag("inplace", inplace)
    check_flag("detach_code", detach_code)
    slope, beta = check_slope(negative_slope, compute_dtype(input)), _check_beta(beta, input)
    if isinstance(slope, Tensor):
        check_broadcast("negative_slope", slope, input.shape, "input")
        if isinstance(beta, Tensor):
            check_broadcast("beta", beta, slope.shape, "negative_slope")
    compute = units.leaky_relu_ if inplace else units.leaky_relu
    return compute(input, slope, beta, detach_code)


def beta_abs(input: Tensor, *, beta: float | Tensor, detach_code: bool = False) -> Tensor:
    r"""β-VQ absolute value: ``input`` · tanh(η · ``input``) with η = β/(1−β).

    ``torch.abs`` at β = 1 (its gradient at 0 is 0); 0 at β = 0 for every input but NaN, infinite ones included.

    Args:
        input: any shape; float16, bfloat16, float32 or float64.
        beta: hardness in [0, 1]; a number, or a tensor that broadcasts against ``input``.
        detach_code: whether the backward pass takes the code for a constant: see above.

    Returns:
        Shape of ``input`` (broadcast with ``beta``), its dtype.

    Raises:
        ValueError: ``beta`` outside [0, 1], NaN, or of a shape that does not broadcast.
        TypeError: ``input`` not a floating tensor, ``beta`` not a number or floating tensor,
            ``detach_code`` not a bool.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ of the pieces −u and u.

    Example:
        >>> import torch
        >>> from betavq.functional import beta_abs
        >>> u = torch.tensor([-3.0, 0.0, 3.0])
        >>> beta_abs(u, beta=1.0)
        tensor([3., 0., 3.])
        >>> torch.allclose(beta_abs(u, beta=0.5), u * u.tanh())
        True
    """
    if isinstance(input, Proxy):
        return function_step(beta_abs, input, beta=beta, detach_code=detach_code)
    check_floating("input", input)
    check_flag("detach_code", detach_code)
    return units.absolute(input, _check_beta(beta, input), detach_code)


def _check_beta(beta: float | Tensor, input: Tensor) -> float | Tensor:
    beta = check_beta(beta)
    if isinstance(beta, Tensor):
        check_broadcast("beta", beta, input.shape, "input")
    return beta
