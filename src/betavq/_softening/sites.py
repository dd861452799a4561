"""The sites of a softened model, and the report of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Site:
    """One place of a softened model where a nonlinearity is computed.

    Attributes:
        where: the module's name in the model, ``"layer1.0.relu"``; for a call, the name of the module that makes it
            and which of its calls of this kind it is, ``"layer1.0: relu #2"`` (``"relu #2"`` in the model itself).
        what: the nonlinearity, by the name of its function: ``"relu"``, ``"max_pool2d"``.
        replaced: whether it is softened.
        reason: why it is left alone; empty if it is replaced.
        beta: the key of its β in :func:`betas`, one of its own if it is left alone; empty if it has none.
        moments: what :func:`match_moments` has left, ``"moments matched at β = 0.5"``, and ``", stale"`` if β is
            another one now; empty if nothing.
        spread: of its scores on the images that :func:`report` was given: the standard deviation of its input.
        softness: there, the mean entropy of its codes as a share of the largest possible: 0 is hard, 1 undecided.

    Example:
        >>> from torch import nn
        >>> import betavq
        >>> soft = betavq.soften(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
        >>> betavq.report(soft).sites[0]
        Site(where='1', what='relu', replaced=True, reason='', beta='softening_beta')
    """

    where: str
    what: str
    replaced: bool
    reason: str = ""
    beta: str = ""
    moments: str = field(default="", repr=False)
    spread: float | None = field(default=None, repr=False)
    softness: float | None = field(default=None, repr=False)

    @property
    def _more(self) -> str:
        """What a line of the report says beside its fate."""
        words = [self.moments] if self.moments else []
        if self.spread is not None and self.softness is not None:
            words.append(f"spread {self.spread:.3g}, softness {self.softness:.3f}")
        return "".join(f", {word}" for word in words)


@dataclass(frozen=True)
class Report:
    """Every site of a model with a β; printed, a table of them.

    Attributes:
        sites: all of them.
        note: what the list may lack; empty if nothing is known to.
        betas: every β in words, ``"0.5"``, by its key in :func:`betas`; the smallest and the largest of channels.
        smoothing: as given to :func:`soften`, joined by "and" if softened parts differ; empty if none is.
        share: the same.

    Example:
        >>> from torch import nn
        >>> import betavq
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.GELU())
        >>> report = betavq.report(betavq.soften(net))
        >>> [(site.where, site.reason) for site in report.left_alone]
        [('3', 'is smooth already')]
    """

    sites: tuple[Site, ...]
    note: str = ""
    betas: dict[str, str] = field(default_factory=dict)
    smoothing: str = ""
    share: str = ""

    @property
    def replaced(self) -> tuple[Site, ...]:
        """The sites that are softened."""
        return tuple(site for site in self.sites if site.replaced)

    @property
    def left_alone(self) -> tuple[Site, ...]:
        """The sites that are not, each with its reason."""
        return tuple(site for site in self.sites if not site.replaced)

    def __str__(self) -> str:
        count = len(self.replaced)
        head = f"{count} {'site' if count == 1 else 'sites'} replaced, {len(self.left_alone)} left alone"
        one = next(iter(self.betas.values())) if len(self.betas) == 1 else ""
        settings = {"smoothing ": self.smoothing, "share ": self.share, "β = ": one}
        how = ", ".join(word + value for word, value in settings.items() if value)
        lines = [f"{head}; {how}" if how else head]
        where, what = (max((len(name) for name in names), default=0) for names in self._names())
        for site in self.sites:
            fate = "replaced" if site.replaced else f"left alone: {site.reason}"
            of_it = f", β = {self.betas[site.beta]}" if site.beta in self.betas and not one else ""
            lines.append(f"  {site.where or '(the model)':{where}}  {site.what:{what}}  {fate}{of_it}{site._more}")
        return "\n".join([*lines, self.note] if self.note else lines)

    def _names(self) -> tuple[list[str], list[str]]:
        return [site.where or "(the model)" for site in self.sites], [site.what for site in self.sites]
