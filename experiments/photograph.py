"""Cut the grey picture of the pooling chapter out of a photograph that comes with scikit-learn.

Run from the top of the repository: ``python experiments/photograph.py path/to/china.jpg``, the file in scikit-learn's
folder ``datasets/images``. It needs pillow alone, which the book does not.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "src" / "hardtosoft" / "data"
BOX = (44, 20, 364, 340)  # left, upper, right, lower: the tower
SIDE = 96
CREDIT = {
    "title": "china.jpg, one of the two sample photographs of scikit-learn",
    "author": "danielbuechele",
    "author_page": "https://www.flickr.com/photos/danielbuechele/",
    "source": "https://www.flickr.com/photos/danielbuechele/6061409035/",
    "licence": "Creative Commons Attribution 2.0 (CC BY 2.0)",
    "licence_page": "https://creativecommons.org/licenses/by/2.0/",
    "changes": f"cut to the square from {BOX[:2]} to {BOX[2:]}, made grey, reduced to {SIDE} × {SIDE} pixels",
}


def main() -> None:
    """Cut, make grey, reduce, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photograph", type=Path, help="china.jpg of scikit-learn")
    parser.add_argument("--out", type=Path, default=DATA / "photograph.json", help="default: %(default)s")
    args = parser.parse_args()
    images = importlib.import_module("PIL.Image")  # looked up here: type checks run where pillow is not installed
    with images.open(args.photograph) as photograph:
        small = photograph.convert("L").crop(BOX).resize((SIDE, SIDE), images.Resampling.BOX)
    pixels = base64.b64encode(small.tobytes()).decode("ascii")
    contents = CREDIT | {"rows": SIDE, "columns": SIDE, "levels": "bytes, 0 black to 255 white", "pixels": pixels}
    text = json.dumps(contents, ensure_ascii=False, indent=1) + "\n"
    args.out.write_text(text, encoding="utf-8")
    print(f"wrote {args.out}, {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
