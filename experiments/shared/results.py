"""Result files: where they are, what they say of their making, and how they are written."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student  # type: ignore[import-untyped]

from experiments.shared.kept import replace

DATA = Path(__file__).resolve().parents[2] / "src" / "hardtosoft" / "data"


def band(samples: ArrayLike) -> dict[str, Any]:
    """Mean over the first axis and half-width of its 95 % t-interval, to 6 decimals."""
    values: NDArray[np.float64] = np.asarray(samples, dtype=np.float64)
    count = len(values)
    error = values.std(axis=0, ddof=1) / count**0.5 if count > 1 else np.zeros(values.shape[1:])
    half_width = student.ppf(0.975, max(count - 1, 1)) * error
    return {"mean": values.mean(axis=0).round(6).tolist(), "half_width": half_width.round(6).tolist()}


def bands(runs: Sequence[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """One band a quantity, over runs that differ in their seed."""
    return {quantity: band([run[quantity] for run in runs]) for quantity in runs[0]}


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    names = ("torch", "numpy", "scipy", "scikit-learn")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in names}


def hardware() -> dict[str, Any]:
    """Processor, its cores, and the threads in use."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "threads": torch.get_num_threads()}


def progress(items: Iterable[int], label: str) -> Iterable[int]:
    """Say which item is at work and how long it has taken."""
    start = time.monotonic()
    for item in items:
        print(f"{label} {item} ({time.monotonic() - start:.0f} s)", flush=True)
        yield item


def write(contents: dict[str, Any], out: Path) -> None:
    """Write a result file, and say so."""
    text = json.dumps(contents, allow_nan=False, separators=(",", ":")) + "\n"
    replace(out, lambda name: Path(name).write_text(text, encoding="utf-8"))
    print(f"wrote {out}, {len(text) / 1000:.0f} kB")
