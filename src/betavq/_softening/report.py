"""The report of a softened model."""

from __future__ import annotations

from dataclasses import dataclass

from .state import Site


@dataclass(frozen=True)
class Report:
    """Every site of a softened model; printed, a table of them.

    Attributes:
        sites: all of them.
        note: what the list may lack; empty if nothing is known to.
    """

    sites: tuple[Site, ...]
    note: str = ""

    @property
    def replaced(self) -> tuple[Site, ...]:
        """The sites that are softened."""
        return tuple(site for site in self.sites if site.replaced)

    @property
    def left_alone(self) -> tuple[Site, ...]:
        """The sites that are not, each with its reason."""
        return tuple(site for site in self.sites if not site.replaced)

    def __str__(self) -> str:
        lines = [f"{len(self.replaced)} sites replaced, {len(self.left_alone)} left alone"]
        where, what = (max((len(name) for name in names), default=0) for names in self._names())
        for site in self.sites:
            fate = "replaced" if site.replaced else f"left alone: {site.reason}"
            lines.append(f"  {site.where or '(the model)':{where}}  {site.what:{what}}  {fate}")
        return "\n".join([*lines, self.note] if self.note else lines)

    def _names(self) -> tuple[list[str], list[str]]:
        return [site.where or "(the model)" for site in self.sites], [site.what for site in self.sites]
