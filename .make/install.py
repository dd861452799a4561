"""``python .make/install.py ARGUMENTS``: pip's ``install``, with a line for each package as it arrives.

pip names what it downloads. Then it unpacks everything, for minutes on a slow disk, without a word.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import sysconfig
from pathlib import Path


def arrived(packages: Path) -> set[str]:
    """What is there to its last file, which is the list of the others: name and version."""
    return {record.parent.stem for record in packages.glob("*.dist-info/RECORD")}


def main() -> int:
    """Start pip with the Python that runs this, and watch the folder into which it installs."""
    packages = Path(sysconfig.get_path("purelib"))
    seen = arrived(packages)
    # Files are compiled when they are first used: of most of them that is never.
    command = [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check"]
    with subprocess.Popen([*command, *sys.argv[1:]]) as pip:
        while pip.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                pip.wait(timeout=0.5)
            for name in sorted(arrived(packages) - seen):
                print(f"Installed {name.replace('-', ' ')}", flush=True)
                seen.add(name)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main())
