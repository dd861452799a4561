"""What is counted of operators: known kernels are counted right, and what is stored is what would be counted now."""

import pytest
import torch
import torch.nn.functional as F
from bs4 import BeautifulSoup

from benchmarks.counted_operators import every_count
from benchmarks.counts import count, counted, elsewhere
from hardtosoft.figures.benchmarks.counts import count_table
from hardtosoft.results.counted import load_counts


def test_known_kernels():
    x = torch.randn(64, 64)
    found = count("units", "silu", F.silu, x)
    assert (found.forward.launches, found.forward.big, found.forward.moved) == (1, 1, 2.0)
    assert (found.backward.big, found.backward.moved, found.saved) == (1, 3.0, 1.0)
    assert counted(lambda: x.mul(2).add_(1), x, x.nbytes)[0].moved == 4.0
    assert counted(lambda: torch.neg(x, out=torch.empty_like(x)), x, x.nbytes)[0].moved == 2.0
    assert counted(lambda: x[0].view(8, 8).t(), x, x.nbytes)[0].launches == 0
    assert counted(lambda: x.sum().item(), x, x.nbytes)[0].reads == 1


def test_the_simulation_ends():
    from betavq._numerics.eager import is_plain

    with elsewhere():
        assert not is_plain(torch.ones(1))
    assert is_plain(torch.ones(1))


@pytest.mark.parametrize("only", ["beta_relu at", "BetaReLU", "code at 1", "value", "beta_max_pool2d k2", "MASO at 1"])
def test_what_is_stored_is_what_is_counted_now(only):
    stored = {each.operator: each for each in load_counts()}
    found = list(every_count(only))
    assert found
    assert {each.operator: each for each in found} == {each.operator: stored[each.operator] for each in found}


def test_the_table_has_every_operator():
    counts = load_counts()
    rows = BeautifulSoup(count_table(counts), "html.parser").select("tbody tr")
    assert [row.th.get_text() for row in rows] == [each.operator for each in counts]
    assert [row.find_all("td")[0].get_text() for row in rows] == [str(each.forward.big) for each in counts]
    assert not any(each.forward.reads or each.backward.reads for each in counts)
