"""The benchmark of the operators: who is compared with whom, and how it is judged. Never a time."""

import json
from dataclasses import replace

import torch
import torch.nn.functional as F

from benchmarks import operators, rivals
from benchmarks.bars import SPEED, judge
from benchmarks.timing import BOTH, FORWARD
from hardtosoft.results.measured import Ratio

NOT_THERE = {"torch.compile": "takes long", "softtorch": "may not be installed"}
#: Rivals that compute the same as the operator, only less carefully.
SAME = {
    "x * sigmoid(b * x)",
    "x * sigmoid(b * x), learnable b",
    "x * tanh(b * x)",
    "its bare kernel",
    "torch.softmax",
    "(softmax(b * z) * z).sum",
    "logsumexp(b * z) / b",
    "unfold + softmax",
}

pairs = list(rivals.pairs([12], NOT_THERE))
measured = Ratio("units", "beta_relu", "F.silu", "2^16", 2**16, FORWARD, 1.3, 1.2, 1.5, 1.0, 1.0)


def test_rivals_of_the_same_function_compute_the_same():
    compared = {pair.rival for pair in pairs}
    assert compared >= SAME
    for pair in pairs:
        if pair.rival in SAME:
            torch.testing.assert_close(pair.layer(pair.x), pair.other(pair.x), rtol=1e-5, atol=1e-6)
        else:
            assert pair.layer(pair.x).shape == pair.other(pair.x).shape
    torch.testing.assert_close(F.relu(pairs[0].x), rivals.bF.beta_relu(pairs[0].x, beta=1.0))


def test_every_bar_is_measured():
    asked = {(bar.operator, bar.rival, bar.passes) for bar in SPEED if "compiled" not in bar.operator}
    assert asked <= {(pair.operator, pair.rival, pair.passes) for pair in pairs}
    for bar in SPEED:
        assert not bar.size or any(pair.size.startswith(bar.size) for pair in pairs)


def test_a_bar_is_judged_by_the_worst_ratio_that_it_covers():
    first = SPEED[0]
    found = [measured, replace(measured, size="2^20", numbers=2**20, median=1.5)]
    found.append(replace(measured, size="2^12", numbers=2**12, median=9.0))  # too small
    found.append(replace(measured, passes=BOTH, median=1.8))
    forward, both, _, _, compiled, *_ = judge(found)
    assert (forward.seen, forward.met, forward.size) == (1.5, False, "2^20")
    assert first.limit == 1.45
    assert forward.covers == ("2^16", "2^20")
    assert (both.seen, both.met) == (1.8, True)
    assert (compiled.seen, compiled.met) == (None, None)
    assert "MISSED" in operators.line(forward)
    assert "not measured" in operators.line(compiled)


def test_pools_are_judged_by_format_and_window():
    size = "NHWC k3 s2 p1"
    seen = replace(measured, operator="beta_max_pool2d", rival="F.max_pool2d", passes=BOTH, size=size, median=6.0)
    assert [verdict.limit for verdict in judge([seen]) if verdict.met] == [7.0]


def test_the_file_is_whole_and_says_where_it_was_made(tmp_path):
    path = tmp_path / "found.json"
    operators.write(path, operators.document([measured], judge([measured]), {"softtorch": "is not installed"}, 4))
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["ratios"][0]["median"] == 1.3
    assert len(stored["bars"]) == len(SPEED)
    assert stored["machine"]["processor"]
    assert stored["versions"]["torch"] == torch.__version__
    assert stored["left_out"] == {"softtorch": "is not installed"}
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_who_cannot_take_part_is_named_with_a_reason(monkeypatch):
    monkeypatch.setattr(rivals.importlib.util, "find_spec", lambda _: None)
    reasons = rivals.unavailable(compiled=False)
    assert reasons["torch.compile"] == "was not asked for"
    assert reasons["softtorch"].startswith(("needs Python 3.12", "is not installed"))
    assert not any("compiled" in pair.operator or "softtorch" in pair.rival for pair in pairs)
