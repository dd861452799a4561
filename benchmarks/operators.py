"""β-VQ operators against what they replace: ``OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.operators``.

Every operator takes turns with its rival in float32 on one thread, so that a busy moment of the machine meets both.
Printed are the medians of the rounds' ratios, with the range in which their middle half lies, and then every bar of
``bars.py`` with what was seen. ``--json`` writes all of it to a file, with the date, the machine and the versions:
the page of the book is made from that. Compare within one run.
"""

from __future__ import annotations

import datetime
import json
import platform
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

import betavq.functional as bF
from experiments.shared.kept import replace
from experiments.shared.results import hardware
from hardtosoft.results.measured import Ratio, Verdict

from . import rivals
from .bars import POOL_MEMORY, UNIT_MEMORY, judge, judge_memory
from .command import begin, parser, told
from .timing import compare, saved_for_backward


def main() -> None:
    """Measure, print and write."""
    command = parser("β-VQ operators against what they replace.", 60)
    command.add_argument(
        "--sizes", type=int, nargs="+", default=(16, 20, 22), help="numbers in the input, as powers of 2 from 12"
    )
    command.add_argument("--only", default="", help="time only operators whose name holds this")
    command.add_argument("--no-compile", action="store_true", help="leave torch.compile out; it takes a minute")
    command.add_argument("--json", type=Path, help="file to write")
    options = begin(command)
    left_out = rivals.unavailable(compiled=not options.no_compile)
    for name, reason in left_out.items():
        print(f"left out: {name} {reason}", flush=True)
    found = measure(options.sizes, options.rounds, options.only, left_out)
    verdicts = [*judge(found), *memory()]
    print("\nBars, with the largest ratio seen:")
    for verdict in verdicts:
        print(line(verdict))
    if options.json is not None:
        write(options.json, document(found, verdicts, left_out, options.rounds))


def measure(powers: list[int], rounds: int, only: str, left_out: dict[str, str]) -> list[Ratio]:
    """Time all pairs, and print each as it is done."""
    torch._dynamo.config.recompile_limit = 8 * len(powers)  # one form for every size, with and without backward
    pairs = [pair for pair in rivals.pairs(powers, left_out) if only in pair.operator]
    found = []
    for count, pair in enumerate(pairs, start=1):
        ratio = compare(pair, rounds)
        found.append(ratio)
        print(f"{count:3}/{len(pairs)}  {told(ratio)}", flush=True)
    return found


def memory() -> list[Verdict]:
    """What is saved for backward, against its bars."""
    x = torch.randn(2, rivals.CHANNELS, 32, 32)
    modules = {"beta_relu": rivals.relu, "BetaReLU, 64 learnable": rivals._learnable(rivals.CHANNELS)}
    verdicts = [judge_memory(name, "", saved_for_backward(unit, x), UNIT_MEMORY) for name, unit in modules.items()]
    images = torch.randn(rivals.IMAGES)
    for kernel, stride, padding in rivals.WINDOWS:
        pool = partial(bF.beta_max_pool2d, kernel_size=kernel, stride=stride, padding=padding, beta=rivals.BETA)
        size = f"NCHW k{kernel} s{stride} p{padding}"
        verdicts.append(judge_memory("beta_max_pool2d", size, saved_for_backward(pool, images), POOL_MEMORY))
    return verdicts


def line(verdict: Verdict) -> str:
    """A bar in words."""
    name = f"{verdict.operator} ÷ {verdict.rival}, {verdict.passes}"
    stretch = "" if verdict.stretch is None else f" (stretch {verdict.stretch:g})"
    limit = f"{name:58} ≤ {verdict.limit:g}{stretch}"
    if verdict.seen is None:
        return f"{limit:84} not measured"
    outcome = "met" if verdict.met else "MISSED"
    return f"{limit:84} {verdict.seen:5.2f}  {outcome:7} {verdict.size}"


def document(found: list[Ratio], verdicts: list[Verdict], left_out: dict[str, str], rounds: int) -> dict[str, Any]:
    """The measurements, with where and when they were made."""
    return {
        "date": datetime.date.today().isoformat(),
        "machine": hardware() | {"system": platform.system()},
        "versions": {"python": platform.python_version(), **rivals.versions()},
        "rounds": rounds,
        "left_out": left_out,
        "bars": [asdict(verdict) for verdict in verdicts],
        "ratios": [asdict(ratio) for ratio in found],
    }


def write(path: Path, contents: dict[str, Any]) -> None:
    """Write JSON, put in place whole."""
    text = json.dumps(contents, indent=1, ensure_ascii=False) + "\n"
    replace(path, lambda name: Path(name).write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main()
