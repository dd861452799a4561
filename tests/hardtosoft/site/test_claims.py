"""The list of claims against the book and the tests, and the finder of marked tests."""

import re
from pathlib import Path

import pytest

from hardtosoft.figures import every_figure
from hardtosoft.results.filter_runs import filter_runs
from hardtosoft.site.claims import CLAIMS, Claim
from hardtosoft.site.marked_tests import MarkedTest, collect

TESTS = Path(__file__).resolve().parents[2]
BOOK = TESTS.parent / "book"
COVERED = [claim for claim in CLAIMS if claim.covered]


def sources(chapter: str) -> list[Path]:
    """Files that may hold a chapter."""
    return [path for path in (BOOK / f"{chapter}.ipynb", BOOK / f"{chapter}.md") if path.is_file()]


def test_claims_are_those_of_the_paper_and_then_of_its_siblings() -> None:
    ids = [claim.id for claim in CLAIMS]
    assert ids[:11] == [f"C{number}" for number in range(1, 12)]
    assert len(set(ids)) == len(ids)
    bibliography = (BOOK / "references.bib").read_text(encoding="utf-8")
    assert all(f"{{{claim.source}," in bibliography for claim in CLAIMS)
    assert all(claim.source == "balestriero2019hard" for claim in CLAIMS[:11])
    assert {claim.source for claim in CLAIMS[11:]} >= {"balestriero2018spline", "balestriero2019geometry"}


def test_verdicts_that_are_measured_give_n_and_an_interval() -> None:
    for claim in CLAIMS:
        words = claim.evidence()
        if claim.verdict.startswith("measured"):
            assert re.search(r"± \d|\(.\d+\.\d to", words), claim.id
            assert "95 %" in words
            assert re.search(r"\d seeds|small networks", words), claim.id
        else:
            assert "by tests" in words or "by the tests" in words, claim.id


def test_the_evidence_is_that_of_the_result_files() -> None:
    by_id = {claim.id: claim.evidence() for claim in CLAIMS}
    gain = filter_runs("images").minus_none["relu", "orthogonal"]
    assert f"relu {100 * gain.mean:+.2f} ± {100 * gain.half_width:.2f}" in by_id["C10"]
    assert "stored results, which no test makes again" in by_id["C10"]
    worse = filter_runs("images").swish_minus_relu["none"]
    assert worse.high < 0
    assert f"free −{-100 * worse.mean:.2f}" in by_id["C11"]


def test_the_book_opens_with_beta_vq_and_swish() -> None:
    assert {"C6", "C7"} <= {claim.id for claim in COVERED}


@pytest.mark.parametrize("claim", COVERED, ids=lambda claim: claim.id)
def test_covered_claim_has_a_marked_test(claim: Claim) -> None:
    assert claim.id in {test.claim_id for test in collect(TESTS)}


@pytest.mark.parametrize("claim", COVERED, ids=lambda claim: claim.id)
def test_covered_claim_has_its_chapters_and_figures(claim: Claim) -> None:
    for chapter, figure in claim.places:
        assert len(sources(chapter)) == 1
        assert figure in sources(chapter)[0].read_text(encoding="utf-8")
        assert figure in {figure.name for figure in every_figure()}


def test_marks_name_existing_claims_and_say_what_they_check() -> None:
    for test in collect(TESTS):
        assert test.claim_id in {claim.id for claim in CLAIMS}, test
        assert test.summary, f"{test.path}::{test.name} needs a docstring: the book prints its first line"


@pytest.mark.parametrize("address", ["simplex", "beta-vq#", "#simplex"])
def test_a_figure_is_named_with_its_chapter(address: str) -> None:
    with pytest.raises(ValueError, match="figures of C1 must be addresses, chapter#figure, got"):
        Claim("C1", "A statement.", figures=(address,))


SOURCE = '''
import pytest
from pytest import mark

@pytest.mark.slow
@pytest.mark.claim("C1")
def test_plain():
    """First line.

    More.
    """

def test_unmarked(): ...

@mark.claim("C2")
@mark.claim("C3")
async def test_two(): ...

@pytest.mark.claim("C4")
def helper(): ...

@pytest.mark.claim("C5")
class TestGroup:
    pytestmark = [pytest.mark.claim("C6"), pytest.mark.slow]

    @pytest.mark.claim("C5")
    def test_inside(self):
        """Within."""

    class TestNested:
        def test_deep(self): ...

class Other:
    @pytest.mark.claim("C7")
    def test_never_run(self): ...
'''


def test_collect_follows_pytest(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "test_a.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "helpers.py").write_text(SOURCE, encoding="utf-8")
    assert collect(tmp_path) == [
        MarkedTest("C1", "sub/test_a.py", "test_plain", "First line."),
        MarkedTest("C2", "sub/test_a.py", "test_two", ""),
        MarkedTest("C3", "sub/test_a.py", "test_two", ""),
        MarkedTest("C5", "sub/test_a.py", "TestGroup::test_inside", "Within."),
        MarkedTest("C6", "sub/test_a.py", "TestGroup::test_inside", "Within."),
        MarkedTest("C5", "sub/test_a.py", "TestGroup::TestNested::test_deep", ""),
        MarkedTest("C6", "sub/test_a.py", "TestGroup::TestNested::test_deep", ""),
    ]


def test_collect_reads_the_mark_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text('pytestmark = pytest.mark.claim("C8")\ndef test_it(): ...\n', encoding="utf-8")
    assert collect(tmp_path) == [MarkedTest("C8", "test_a.py", "test_it", "")]


@pytest.mark.parametrize("arguments", ["", "NAME", "'C1', 'C2'", "id='C1'", "7"])
def test_collect_refuses_a_mark_it_cannot_read(tmp_path: Path, arguments: str) -> None:
    (tmp_path / "test_a.py").write_text(f"@pytest.mark.claim({arguments})\ndef test_it(): ...\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a claim mark must hold one id as a string"):
        collect(tmp_path)
