"""The page of benchmarks: what is drawn was measured, each limit stands where it holds, words follow numbers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from hardtosoft.figures.benchmarks import ratios
from hardtosoft.results.measured import GROUPS, PASSES, Benchmark, Ratio, Verdict, load_benchmark

one = Ratio("units", "beta_relu", "F.silu", "2^16", 2**16, "forward", 2.0, 1.0, 4.0, 0.2, 0.1)
two = replace(one, size="2^20", numbers=2**20, median=0.5, low=0.25, high=0.5)
limit = Verdict("beta_relu", "F.silu", "forward", "2^16", ("2^16",), 1.4, 1.1, 2.0, False)
small = Benchmark((one, two), (limit,), {"softtorch": "is not installed"}, "2026-01-31", 9, {}, {"torch": "2"})


def parse(html):
    return BeautifulSoup(html, "html.parser")


def percent(tag, name):
    return float(re.search(rf"(?:^|;){name}:([\d.]+)%", tag["style"])[1])


def test_marks_lie_where_the_ratios_are():
    figure = parse(ratios.ratio_figure(small, "units"))
    dots, lines = figure.select(".ratio-track .ratio-dot"), figure.select(".ratio-range")
    # The medians are ½ and 2: the axis runs from ½ to 2, with 1 in the middle.
    assert [percent(dot, "left") for dot in dots] == [100, 0]
    assert (percent(lines[0], "left"), percent(lines[0], "width")) == (50, 50)  # from 1 to beyond the end
    assert [percent(dot, "top") for dot in dots] == [25, 75]
    assert dots[0]["class"] != dots[1]["class"]
    assert [tick.get_text() for tick in figure.select(".ratio-axis")[0].find_all("span")] == ["½", "1", "2"]


def test_a_limit_stands_at_the_inputs_for_which_it_holds():
    (drawn,) = parse(ratios.ratio_figure(small, "units")).select(".ratio-track .ratio-limit")
    assert percent(drawn, "left") == pytest.approx(100 * ratios.Scale([0.5, 2.0]).place(1.4), abs=0.01)
    assert (percent(drawn, "top"), percent(drawn, "height")) == (0, 50)
    other = replace(small, limits=(replace(limit, passes="forward+backward"),))
    assert not parse(ratios.ratio_figure(other, "units")).select(".ratio-track .ratio-limit")


@pytest.mark.parametrize(
    ("medians", "words"),
    [
        ((2.0, 0.5), "1 rows, 0 lie .* 0 at 1"),
        ((2.0, 1.5), "1 rows, 1 lie .* 0 at 1"),
        ((1.0, 0.5), "0 lie .* 1 at 1"),
    ],
)
def test_the_conclusion_follows_the_numbers(medians, words):
    found = [replace(ratio, median=median) for ratio, median in zip((one, two), medians, strict=True)]
    assert re.search(words, ratios.conclusion(found))


def test_limits_say_what_was_seen():
    memory = replace(limit, rival="the input", passes="saved for backward", size="", seen=1.0, met=True)
    unseen = replace(limit, seen=None, met=None)
    missed, met, without = (item.get_text() for item in parse(ratios.limit_list((limit, memory, unseen))).select("li"))
    assert missed == "beta_relu ÷ F.silu, forward (2¹⁶ numbers): at most 1.4, at best 1.1; seen 2.00: missed."
    assert "saved for backward in units of the input" in met
    assert met.endswith("seen 1.00: met.")
    assert without.endswith("not measured.")


def test_the_table_holds_every_number():
    (first, second) = parse(ratios.ratio_table(small.ratios)).select("tbody tr")
    cells = ["beta_relu", "F.silu", "2¹⁶ numbers", "forward", "2.00", "1.00–4.00", "0.200", "0.100"]
    assert [cell.get_text() for cell in first.find_all("td")] == cells
    assert "0.50" in second.get_text()


def test_ticks_are_few_and_on_the_axis():
    for medians in ((1.0,), (0.03, 50.0), (0.9, 1.1), (0.001, 900.0)):
        scale = ratios.Scale(medians)
        places = [place for place, _ in scale.ticks()]
        assert places == sorted(places)
        assert 2 <= len(places) <= 8
        assert "1" in [label for _, label in scale.ticks()]
        assert all(0 <= scale.place(median) <= 1 for median in medians)
    assert ratios.Scale([1.0]).place(1.0) == 0.5


@pytest.mark.parametrize("group", GROUPS)
def test_the_stored_run_fills_the_page(group):
    benchmark = load_benchmark()
    figure = parse(ratios.ratio_figure(benchmark, group))
    assert len(figure.select(".ratio-track .ratio-dot")) == len(benchmark.of(group)) > 0
    assert [title.get_text() for title in figure.select(".ratio-title")] == list(PASSES.values())
    assert all(ratio.low <= ratio.median <= ratio.high for ratio in benchmark.of(group))
    assert not re.search(r"nan|inf%", str(figure))


def test_the_stored_run_says_where_it_was_made():
    benchmark = load_benchmark()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", benchmark.date)
    text = parse(ratios.origin_list(benchmark)).get_text()
    for part in (benchmark.date, benchmark.machine["processor"], f"torch {benchmark.versions['torch']}"):
        assert part in text
    assert benchmark.limits
    assert all(limit.met == (limit.seen <= limit.limit) for limit in benchmark.limits if limit.seen is not None)


def test_the_page_asks_for_every_group_and_types_no_measurement():
    text = (Path(__file__).parents[3] / "book" / "benchmarks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"```\{benchmark\} (\w+)", text)) == {"origin", "limits", "counts", *GROUPS}
    assert set(re.findall(r"\d+\.\d+|\d+ (?:ms|%)", text)) <= {"0.6"}  # β, the setting


def test_unknown_groups_are_refused():
    with pytest.raises(ValueError, match="group must be one of units, selections, pools, got 'nets'"):
        ratios.ratio_figure(small, "nets")
