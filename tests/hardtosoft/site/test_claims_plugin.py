"""The pytest plugin that fails a run in which a covered claim goes unproven."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hardtosoft.site.claims import CLAIMS

TESTS = Path(__file__).resolve().parents[2]
COVERED = next(claim.id for claim in CLAIMS if claim.covered)

PASSED = "def test_{n}(): pass\n"
FAILED = "def test_{n}(): assert False\n"
SKIPPED = "def test_{n}(): pytest.skip('no reason')\n"
XFAILED = "@pytest.mark.xfail\ndef test_{n}(): assert False\n"
XPASSED = "@pytest.mark.xfail\ndef test_{n}(): pass\n"
BROKEN_TEARDOWN = (
    "@pytest.fixture\ndef fix_{n}():\n    yield\n    assert False\n"
    f"@pytest.mark.claim('{COVERED}')\ndef test_{{n}}(fix_{{n}}): pass\n"
)


def run(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin, and nothing of this suite, on one file."""
    (folder / "test_it.py").write_text("import pytest\n" + source, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\nmarkers = claim(id)\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "claims_plugin", *arguments]
    # Without the plugins of other packages: loading them takes longer than the tests.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def marked(*tests: str, claim: str = COVERED) -> str:
    """A file of tests that all bear the mark of one claim."""
    mark = f"@pytest.mark.claim('{claim}')\n"
    return "".join(mark + test.format(n=number) for number, test in enumerate(tests))


def blames(result: subprocess.CompletedProcess[str]) -> bool:
    """Whether the run says that the covered claim has no test that passed."""
    return f"FAILED claim {COVERED}: the book lists it as covered, but none of its tests passed" in result.stdout


@pytest.mark.parametrize("xdist", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("tests", [(SKIPPED,), (XFAILED, SKIPPED)], ids=["skipped", "xfailed"])
def test_run_fails_when_no_test_of_a_claim_passes(
    tmp_path: Path, tests: tuple[str, ...], xdist: tuple[str, ...]
) -> None:
    result = run(tmp_path, marked(*tests) + PASSED.format(n="unmarked"), *xdist)
    assert result.returncode == 1, result.stdout + result.stderr
    assert blames(result)


@pytest.mark.parametrize("xdist", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_one_pass_is_enough(tmp_path: Path, xdist: tuple[str, ...]) -> None:
    result = run(tmp_path, marked(SKIPPED, PASSED), *xdist)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not blames(result)


@pytest.mark.parametrize("xdist", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_file_that_skips_itself_proves_nothing(tmp_path: Path, xdist: tuple[str, ...]) -> None:
    (tmp_path / "test_other.py").write_text(PASSED.format(n="other"), encoding="utf-8")
    result = run(tmp_path, "pytest.importorskip('no_such_module')\n" + marked(PASSED), *xdist)
    assert result.returncode == 1, result.stdout + result.stderr
    assert blames(result)


@pytest.mark.parametrize("source", [marked(FAILED), marked(XPASSED), BROKEN_TEARDOWN.format(n=0)])
def test_what_does_not_count_as_a_pass(tmp_path: Path, source: str) -> None:
    result = run(tmp_path, source)
    assert result.returncode == 1, result.stdout + result.stderr
    assert blames(result)


def test_claims_not_selected_are_not_judged(tmp_path: Path) -> None:
    source = marked(SKIPPED) + PASSED.format(n="unmarked")
    assert run(tmp_path, source, "-k", "unmarked").returncode == 0
    assert run(tmp_path, source, "--collect-only").returncode == 0


def test_this_suite_is_judged(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("claims_plugin")
