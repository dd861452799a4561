"""Fit curves by one hidden layer whose β is fixed, or learned for the layer or for each unit, and compare in pairs.

Run from the top of the repository: ``python -m experiments.learned_curves``. A run that was stopped goes on where it
was. All networks of one curve and width learn side by side, each on its own; those of a seed start from the same
weights and see the same points. The learning rate of each setting is the one of lowest error with seeds that the
comparison does not use. There is no noise, so the error is that of the fit.

The grid, fixed before the first run: two curves, three widths, five fixed β, one learned β, one a unit, each with an
attached and a detached code; with an attached code also β = ½ and both learned ones from a start of another scale
(slopes and offsets × 3, outputs ÷ 3: the same hardness for the data as β = ¾), and both learned through the logit.
Rates from .003 to 1; each setting, whatever its code, scale or parametrisation, has its own. The best fixed β, too, is
the one of lowest error with the seeds that rates were chosen by. Twenty seeds are compared.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from experiments.learned_curves.networks import CURVES, Setting, Training, fit, stored
from experiments.shared.command import WORK, parser
from experiments.shared.kept import keep, kept
from experiments.shared.results import DATA, band, hardware, versions, write

FIXED = (0.5, 0.62, 0.75, 0.87, 0.99)
KINDS = (*((f"{beta:g}", "fixed", beta) for beta in FIXED), ("shared", "shared", 0.5), ("unit", "unit", 0.5))
SCALED = ("0.5", "shared", "unit")
SCALE = 3.0


@dataclass(frozen=True)
class Plan:
    """All that is tried: how is trained, and with how many units, rates and seeds."""

    training: Training = field(default_factory=Training)
    widths: tuple[int, ...] = (15, 25, 35)
    rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    seeds: tuple[int, ...] = tuple(range(20))
    seeds_of_rates: tuple[int, ...] = (100, 101, 102)


def settings(rate: float = 0.0) -> list[Setting]:
    """What is compared, for each curve and width."""
    plain = [Setting(name, kind, beta, code, rate) for name, kind, beta in KINDS for code in ("attached", "detached")]
    attached = {setting.name: setting for setting in plain if setting.code == "attached"}
    scaled = [replace(attached[name], name=f"{name} scaled", scale=SCALE) for name in SCALED]
    through_logit = [replace(attached[name], name=f"{name} logit", through="logit") for name in ("shared", "unit")]
    return plain + scaled + through_logit


def experiment(plan: Plan, work: Path) -> dict[str, Any]:
    """The contents of the result file; what ``work`` keeps of the same plan is not made again."""
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    conditions = plan.training.conditions() | {"versions": versions(), "hardware": hardware()}
    fits = [_kept_fit(plan, curve, width, work, json.dumps(conditions)) for curve in CURVES for width in plan.widths]
    return {
        "settings": conditions
        | {
            "fixed_betas": list(FIXED),
            "scale": SCALE,
            "widths": list(plan.widths),
            "rates": list(plan.rates),
            "seeds": list(plan.seeds),
            "seeds_of_rates": list(plan.seeds_of_rates),
        },
        "fits": [entry for entries in fits for entry in entries],
    }


def _kept_fit(plan: Plan, curve: str, width: int, work: Path, conditions: str) -> list[dict[str, Any]]:
    start, done = time.monotonic(), work / f"{curve}-{width}.done"
    identity = f"{conditions} {plan} {curve} {width}"
    found = kept(done, identity)
    if found is None:
        found = {"entries": fitted(plan, curve, width)}
        keep(done, identity, **found)
    print(f"{curve}, {width} units ({time.monotonic() - start:.0f} s)", flush=True)
    entries: list[dict[str, Any]] = found["entries"]
    return entries


def fitted(plan: Plan, curve: str, width: int) -> list[dict[str, Any]]:
    """One curve, one width: rates chosen, then all seeds; an entry a setting."""
    tried = [setting for rate in plan.rates for setting in settings(rate)]
    choosing = fit(tried, curve, width, plan.seeds_of_rates, plan.training)
    means = choosing.log_errors.mean(1).reshape(len(plan.rates), -1)
    best = [plan.rates[i] for i in means.argmin(0).tolist()]
    chosen = [replace(setting, rate=rate) for setting, rate in zip(settings(), best, strict=True)]
    made = fit(chosen, curve, width, plan.seeds, plan.training)
    of = {(setting.name, setting.code): i for i, setting in enumerate(chosen)}
    best_fixed = {
        code: min((f"{beta:g}" for beta in FIXED), key=lambda name: means[:, of[name, code]].amin().item())
        for code in ("attached", "detached")
    }
    soft = made.log_errors[of["0.5", "attached"]]
    return [
        {
            "curve": curve,
            "width": width,
            "name": setting.name,
            "code": setting.code,
            "rate": setting.rate,
            "log_errors_of_rates": [round(mean, 4) for mean in means[:, i].tolist()],
            "log_errors": [round(error, 4) for error in made.log_errors[i].tolist()],
            "log_error": band(made.log_errors[i].tolist()),
            "minus_soft": band((made.log_errors[i] - soft).tolist()),
            "best_fixed": best_fixed[setting.code],
            "minus_best_fixed": band(
                (made.log_errors[i] - made.log_errors[of[best_fixed[setting.code], setting.code]]).tolist()
            ),
            "betas": made.betas(i, setting),
            "bends": made.bends(i),
            "network": stored(made, i),
        }
        for i, setting in enumerate(chosen)
    ]


def main() -> None:
    """The command line."""
    command = parser("Fit curves; learn β.", DATA / "learned_curves.json")
    command.add_argument("--work", type=Path, default=WORK / "learned_curves", help="folder that keeps what is done")
    args = command.parse_args()
    write(experiment(Plan(), args.work), args.out)


if __name__ == "__main__":
    main()
