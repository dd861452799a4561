"""How far the scores of each site spread: β acts on scores as they are."""

from __future__ import annotations

from torch import Tensor, nn

from .._torch.copies import copied
from .betas import add_betas, softenings_of
from .scores import measured
from .smoothings import VALUE
from .state import ALL, Softening


def spread(self) -> float:
        """The standard deviation of the inputs."""
        return math.sqrt(self.squares / self.count)

    @property
    def softness(self) -> float:
        """The mean entropy of the codes: 0 is hard, 1 undecided."""
        return self.entropies / self.codes

    def add(self, unit: Unit) -> None:
        """A call more."""
        x = unit.x.detach().double()
        mean, count = x.mean().item(), x.numel()
        squares, shift, total = (x - mean).square().sum().item(), mean - self.mean, self.count + count
        self.squares += squares + shift**2 * self.count * count / total
        self.mean, self.count = self.mean + shift * count / total, total
        entropies = relative_entropies(unit, x)
        self.entropies += entropies.sum().item()
        self.codes += entropies.numel()


def relative_entropies(unit: Unit, x: Tensor) -> Tensor:
    """Entropies of the codes that a call selects by, over log R: H = η (free energy − value)."""
    beta = unit.beta.detach().double() if isinstance(unit.beta, Tensor) else torch.tensor(unit.beta).double()
    inside = beta.clamp(1e-6, 1 - 1e-6)  # where free energy and η are finite; the ends are known
    energy, value = (
        softened(x, unit.kind, unit.bound.options, inside, how, in_place=False) for how in (FREE_ENERGY, VALUE)
    )
    share = (inside / (1 - inside) * (energy - value) / math.log(max(pieces(unit), 2))).nan_to_num(0.0).clamp(0, 1)
    ends = torch.where(beta >= 1, 0.0, torch.where(beta <= 0, 1.0, share))
    return ends if pieces(unit) > 1 else torch.zeros_like(ends)


def pieces(unit: Unit) -> int:
    """R: two, or the entries of a window."""
    if "pool" not in unit.kind:
        return 2
    size = unit.bound.options[0]
    axes = 1 if unit.kind == "max_pool1d" else 2
    sizes = tuple(size) if isinstance(size, tuple | list) else (size,) * axes
    return math.prod(sizes if len(sizes) == axes else sizes * axes)


class _Spreads:
    """The meter."""

    def __init__(self, softening: Softening) -> None:
        self.softening = softening
        self.found: dict[str, Scores] = {}

    def meet(self, unit: Unit, _key: Any, name: str, hard: Callable[[], Any]) -> Tensor:
        """The output that the call has without a meter."""
        self.found.setdefault(name, Scores()).add(unit)
        if not isinstance(unit.beta, Tensor) and unit.beta == 1:
            found = hard()
            y: Tensor = found[0] if isinstance(found, tuple) else found
            return y
        return unit.soft()


def measured(
    model: nn.Module, softenings: list[Softening], images: Any, batch_size: int
) -> dict[Softening, dict[str, Scores]]:
    """The scores of each softening's sites, by the name of the site."""
    batches = check_images(images, batch_size)
    meters = [_Spreads(softening) for softening in softenings]
    with metered(model, softenings, meters):
        for batch in batches:
            model(batch)
    return {meter.softening: meter.found for meter in meters}


def spread(model: nn.Module, images: Tensor, *, batch_size: int = 512) -> dict[str, float]:
    """How far the scores of each site spread: the standard deviation of what it selects by, over ``images``.

    β acts on scores as they are: η times a score of 100 is a hard choice at almost every β, and η times one of 0.01
    none at all. So one β softens sites of a small spread more than those of a large one; ``report(model, images)``
    says how much.

    Args:
        model: any module. One that is softened runs at the β that it has; another one is as good as at β = 1.
        images: what the model takes, ``(N, ...)``. It runs in eval mode.
        batch_size: images that run at a time.

    Returns:
        By :attr:`Site.where`, for the sites that are softened and were reached: the standard deviation of the input
        over all images, channels and places. (The scores of a ReLU are 0 and its input.)

    Raises:
        ValueError: no image.
        TypeError: not a module, not a tensor.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.ReLU())
        >>> betavq.spread(net, torch.tensor([[-2.0, 2.0], [-2.0, 2.0]]))
        {'0': 2.0, '2': 1.0}
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    softenings = softenings_of(model)
    # What this imports takes its time: the tables of PyTorch's functions.
    from .survey import intercept_all, report_of

    if not softenings:
        model = copied(model)
        softening = Softening(model, VALUE, ALL, learnable=False)
        intercept_all(softening)
        add_betas(softening, 1.0)
        softenings = softenings_of(model)
    sites = report_of(model, measured(model, list(softenings), images, batch_size)).replaced
    return {site.where: site.spread for site in sites if site.spread is not None}
