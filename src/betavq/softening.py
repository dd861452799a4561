r"""Any network softened: one number β for the nonlinearities that it already has.

.. code-block:: python

    net = betavq.soften(net, beta=0.9)  # a copy; at beta=1 it computes what net computes, bit for bit
    betavq.set_beta(net, 0.5)
    print(betavq.report(net))

* :func:`soften`: the copy; :func:`harden`: a copy with the hard nonlinearities back.
* :func:`set_beta`, :func:`betas`, :func:`clamp_betas`: set every β, list them for an optimiser, keep them in range.
* :func:`report`: a :class:`Report` of every :class:`Site`, which is replaced or says why it is not.
* :func:`match_moments`: give the softened units the means and spreads of the hard ones; :func:`spread`: of scores.

How it works: the methods of each module of the copy that may hold a nonlinearity, ``forward`` and the public ones, run
under a ``torch.overrides.TorchFunctionMode``. That sees every function of PyTorch which they call, whatever the call
looks like, and hands the softened result back. The model's Python code still runs: its classes, its attributes, its
train and eval mode, its control flow and its submodules are as before, and ``torch.compile``, ``torch.export`` and
``torch.jit.trace`` work. ``torch.fx`` captures the graph where it can: that lists the calls beforehand, and a module
that makes none, and whose code names none, runs without interception. A model that cannot be captured is intercepted
whole.

Source: Balestriero & Baraniuk (2018), "From Hard to Soft", arXiv 1810.09274, β-VQ inference; one β for a whole trained
network, and the mix of two smoothings: Hu, Gamba & Balestriero (2025), "Curvature Tuning", arXiv 2502.07783.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

from torch import Tensor, nn

from ._numerics.checks import check_flag, check_number
from ._softening.betas import add_betas, clamp_betas, softenings_of, warn_of_stale_moments
from ._softening.checks import check_model, checked_betas
from ._softening.hard_layers import with_hard_layers
from ._softening.matching import match_moments
from ._softening.scores import measured
from ._softening.sites import Report, Site
from ._softening.smoothings import check_positive, check_smoothing
from ._softening.spreads import spread
from ._softening.state import ALL, CHANNEL, SITE, Softening, part_of
from ._torch.copies import copied

__all__ = [
    "Report",
    "Site",
    "betas",
    "clamp_betas",
    "harden",
    "match_moments",
    "report",
    "set_beta",
    "soften",
    "spread",
]
__dir__ = __all__.copy

Model = TypeVar("Model", bound=nn.Module)


def soften(
    model: Model,
    beta: float = 0.5,
    *,
    smoothing: str | float = "value",
    share: str = "all",
    learnable: bool = False,
    example_inputs: Any = None,
) -> Model:
    r"""A copy of ``model`` whose ReLU, leaky ReLU, PReLU, abs and max-pooling are softened by β.

    They are replaced wherever they occur: as modules, one used many times included; in modules that are built inside
    ``forward``; as ``F.relu``, ``torch.relu``, ``x.relu()``, ``F.leaky_relu``, ``F.prelu``, ``torch.abs``,
    ``x.abs()``, ``abs(x)``, ``F.max_pool1d`` and ``F.max_pool2d`` with all their arguments; in place, which overwrites
    the input as before. At β = 1 the copy computes what the original does, bit for bit. At β = 0 (smoothing
    ``"value"``) a model that is piecewise affine becomes affine.

    What remains as it is stands in :func:`report`, with the reason: other nonlinearities, ``return_indices=True``, an
    abs or a ReLU of a parameter or of integers. What cannot be seen at all are nonlinearities that are no call of
    these functions, such as ``x * (x > 0)``, and compiled code (``torch.jit``), which is reported as such.

    With z the pieces of a unit (0 and u for the ReLU) and η = β/(1−β), a unit becomes

    ======================  ==============================================  ================================
    smoothing               unit                                            for the ReLU
    ======================  ==============================================  ================================
    ``"value"``             Σ t_r z_r, t = softmax(ηz)                      u σ(ηu)
    ``"free_energy"``       log Σ exp(ηz_r) / η                             softplus(ηu)/η; β = 0 raises
    a number c in [0, 1]    c · value + (1−c) · free energy at 1/(1−β)      c u σ(ηu) + (1−c)(1−β) softplus(u/(1−β))
    ``"curvature_tuning"``  the same with c = ½                             the unit of Curvature Tuning
    ======================  ==============================================  ================================

    In a mix the free energy has the inverse temperature 1/(1−β) = 1 + η, as it was published, and not η.

    Args:
        model: any module, in train or eval mode; it is left untouched, and deep-copied with what it holds.
        beta: hardness in [0, 1], to begin with.
        smoothing: which unit takes the place of the hard one; see above.
        share: ``"all"``: one β for the whole model. ``"site"``: one for each module that is a site (a module used
            many times is one site) and for each call within a ``forward``. ``"channel"``: one for each channel of each
            site, dimension 1 as for ``nn.PReLU`` (−3 and −2 for pooling); needs ``example_inputs``.
        learnable: whether every β is a parameter, or else a buffer. It is used clamped to [0, 1], and its gradient is
            that of :class:`betavq.nn.BetaReLU`.
        example_inputs: what ``model`` takes: a tensor, a tuple of arguments, a dict of keyword arguments, or a list
            of these if one does not reach all its branches. A copy is run on them in eval and train mode, to find
            the calls within ``forward`` and their channels. Without, ``torch.fx`` finds them if it can capture the
            model; else they are entered into the report when the model makes them, and with ``share`` other than
            ``"all"`` such a call raises.

    Returns:
        The copy, of the original's classes. Its ``state_dict`` has the original's keys and those of :func:`betas`; the
        original's loads into it, strictly, and leaves β as it is. To keep it in a file, also by ``save_pretrained`` of
        Hugging Face, which stores the class and the ``state_dict``: make the original again, soften it, load.

    Raises:
        ValueError: ``beta`` outside [0, 1]; an unknown ``smoothing`` or ``share``; β = 0 for the free energy;
            ``example_inputs`` that the model does not take, or missing where ``share="channel"`` needs them; a model
            that is softened or compiled already.
        TypeError: an argument of another kind.

    Warns:
        UserWarning: nothing to soften was found; the report is in the warning.

    Limits: hooks of the model itself are not rewritten, nor is a ``__call__`` of its own, nor an ``autograd.Function``
    with a backward pass written by hand; the report says so where one is met. (What ``torch.utils.checkpoint``, or a
    function like it, runs again is softened both times.) What ``torch.fx`` makes of a softened model would be hard,
    and raises: soften the ``GraphModule`` instead. Its ``Interpreter`` goes by the graph, and finds the hard calls.

    Source: Balestriero & Baraniuk (2018), arXiv 1810.09274, β-VQ; the mix: Hu, Gamba & Balestriero (2025), arXiv
    2502.07783.

    Example:
        >>> import torch
        >>> import torch.nn.functional as F
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> soft = betavq.soften(net, beta=0.5)  # a copy with the SiLU
        >>> x = torch.randn(5, 2)
        >>> torch.allclose(soft(x), net[2](F.silu(net[0](x))))
        True
        >>> torch.equal(betavq.set_beta(soft, 1.0)(x), net(x))
        True
    """
    check_model(model)
    start = check_number("beta", beta, 0.0, 1.0, "in [0, 1]", or_else="")
    unit = check_smoothing(smoothing)
    check_positive(unit, start)
    if share not in (ALL, SITE, CHANNEL):
        raise ValueError(f"share must be '{ALL}', '{SITE}' or '{CHANNEL}', got {share!r}")
    check_flag("learnable", learnable)
    # What these import takes its time: the tables of PyTorch's functions.
    from ._softening.probe import find_calls, rest
    from ._softening.survey import intercept_all

    made = copied(model)
    softening = Softening(made, unit, share, learnable)
    intercept_all(softening)
    find_calls(softening, example_inputs)
    rest(softening)
    add_betas(softening, start)
    if not any(site.replaced for site in softening.sites.values()):
        warnings.warn(f"model has nothing to soften that could be found: {report(made)}", stacklevel=2)
    return made


def report(model: nn.Module, images: Tensor | None = None, *, batch_size: int = 512) -> Report:
    """Every site of a model with a β: where it is, what it computes, and whether it is replaced or why not.

    Of a model that is softened in part, or built of :mod:`betavq.nn`, what is hard beside is listed too; so is what
    was put into the model after it was softened, and stays hard. Calls that could not be found when the model was
    softened are entered when the model makes them (not under ``torch.compile``); ``note`` says so. At β = 1 nothing is
    intercepted, and nothing entered.

    Args:
        model: softened, or with layers of :mod:`betavq.nn`.
        images: what it takes, ``(N, ...)``: then each softened site has the spread of its scores on them, and its
            softness, the mean entropy of its codes, which says whether β softens it at all.
        batch_size: images that run at a time.

    Raises:
        ValueError: ``model`` has no β.

    Example:
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.GELU())
        >>> print(betavq.report(betavq.soften(net)))
        1 site replaced, 1 left alone; smoothing value, share all, β = 0.5
          1  relu  replaced
          3  gelu  left alone: is smooth already
    """
    checked_betas(model)
    from ._softening.survey import report_of

    return report_of(
        model, None if images is None else measured(model, list(softenings_of(model)), images, batch_size)
    )


def betas(model: nn.Module) -> dict[str, Tensor]:
    """Every β of a model, softened or of layers of :mod:`betavq.nn`, by its name in ``state_dict``.

    They are the tensors themselves, parameters if learnable: ``torch.optim.Adam(betas(model).values())`` learns them
    alone. With ``share="all"`` a softened model has one, ``"softening_beta"``; a layer has its ``beta``, the one that
    it uses if that is parametrised. An optimiser may leave one outside [0, 1]; it is used clamped.

    Raises:
        ValueError: ``model`` has no β.

    Example:
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU())
        >>> soft = betavq.soften(net, 0.9, share="site", learnable=True)
        >>> list(betavq.betas(soft))
        ['1.softening_beta', '3.softening_beta']
    """
    return {name: kept.tensor for name, kept in checked_betas(model).items()}


def set_beta(model: Model, beta: float | Tensor | Mapping[str, float | Tensor]) -> Model:
    """Set every β of a model in place; return the model.

    Args:
        model: what :func:`soften` returned, a model of layers of :mod:`betavq.nn`, or one that holds such parts.
        beta: hardness in [0, 1] for all; or a mapping from names in :func:`betas` to a number, or to a tensor of the
            shape of that β.

    Raises:
        ValueError: ``beta`` outside [0, 1], of another shape, 0 for the free energy, or a name that is not there;
            ``model`` has no β.
        TypeError: ``beta`` not a number, floating tensor or mapping.

    Warns:
        UserWarning: moments that :func:`match_moments` has matched are of another β, and so are stale.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> import betavq
        >>> soft = betavq.soften(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
        >>> for beta in torch.linspace(0, 1, 5):  # anneal
        ...     _ = betavq.set_beta(soft, beta)
        >>> betavq.betas(soft)
        {'softening_beta': tensor(1.)}
    """
    found = checked_betas(model)
    given = dict(beta) if isinstance(beta, Mapping) else dict.fromkeys(found, beta)
    for name in given:
        if name not in found:
            raise ValueError(f"beta must have names among {sorted(found)}, got {name!r}")
    checked = {name: found[name].checked(name, value) for name, value in given.items()}
    for name, value in checked.items():
        found[name].set(value)
    warn_of_stale_moments(model)
    return model


def harden(model: Model) -> Model:
    """A copy of a model at β = 1, without a β: PyTorch's own nonlinearities, and the weights of ``model``.

    A softened model has its own again. A layer of :mod:`betavq.nn` becomes what it is at β = 1: ``nn.ReLU``,
    ``nn.LeakyReLU`` (``nn.PReLU`` if its slope is a tensor), ``nn.MaxPool1d``, ``nn.MaxPool2d``. PyTorch has no layer
    for ``BetaAbs`` and ``BetaMaxout``, nor for slopes along another dimension than 1: these stay, their β fixed at 1.

    To make the model itself hard, ``set_beta(model, 1.0)``.

    Raises:
        ValueError: ``model`` has no β.

    Example:
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> soft = betavq.soften(net)
        >>> soft[1], betavq.harden(soft)[1]
        (SoftenedReLU(beta=0.5), ReLU())
    """
    checked_betas(model)
    from ._softening.modules import release

    made = copied(model)
    for module in list(made.modules()):
        if part_of(module) is not None:
            release(module)
    return with_hard_layers(made)  # type: ignore[return-value]
