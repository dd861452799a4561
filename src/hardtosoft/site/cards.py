"""The pictures that stand for the book elsewhere: ``python -m hardtosoft.site.cards`` draws both anew.

``og.png``, for previews of links, is the landing page's plane with β falling from left to right. ``hard-to-soft.png``,
for README, is the landing page's figure at three β. Words are set by a Chromium, which playwright has to find.
"""

from __future__ import annotations

import base64
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from ..figures.relu_to_swish import opening_figure
from ..hero import picture
from ..interactive import palette
from ..interactive.frames import Array
from ..results.networks import load_two_moons
from ..tree import source_tree

WIDTH, HEIGHT = 1200, 630
#: Where the card looks: its left and lower edge in the plane, and the pixels of one unit.
LEFT, BOTTOM, SCALE = -0.823, -0.976, 330.0
COLOURS = 256
_FONT = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif'
_WORDS = f"""<style>
  body {{ margin: 0; font: 700 26px {_FONT}; color: #fff; text-shadow: 0 1px 6px #0009, 0 0 2px #0009; }}
  img {{ display: block; }}
  p {{ position: absolute; margin: 0; left: 56px; top: 36px; line-height: 1.2; }}
  p + p {{ left: auto; right: 56px; }}
  h1 {{ position: absolute; margin: 0; left: 56px; bottom: 52px; font-size: 76px; letter-spacing: -0.03em;
    line-height: 1; }}
</style>
<p>β = 1, ReLU</p><p>β = 0, linear</p><h1>From Hard to Soft</h1>"""
_ROW = f"""<style>
  body {{ margin: 0; padding: 16px; width: 1168px; display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px;
    background: #fff; font: 600 19px {_FONT}; color: #1b2530; text-align: center; }}
  img {{ display: block; width: 100%; border-radius: 10px; margin-bottom: 6px; }}
</style>"""
_ALONE = (
    f"body {{ margin: 0 1rem; font-family: {_FONT}; }} .hero > :not(.hero-pictures) {{ display: none !important; }}"
)
STATES = ((1.0, "β = 1: hard"), (0.5, "β = ½: soft"), (0.0, "β = 0: linear"))


def sweep() -> Array:
    """The plane as pixels ``(height, width, 3)`` in [0, 255]: β is 1 on the left, and falls to 0 on the right."""
    across = (np.arange(WIDTH) + 0.5) / WIDTH
    beta = np.sqrt(1 - np.clip((across - 0.44) / 0.54, 0, 1) ** 1.15)
    (eta,) = picture.eta_program().run(["eta"], beta=beta)
    x = LEFT + (np.arange(WIDTH) + 0.5) / SCALE
    y = BOTTOM + (HEIGHT - np.arange(HEIGHT) - 0.5) / SCALE
    still = {**picture.resting(1.0), "eta": eta, "pixel": 1 / SCALE, "width": 2.2}
    channels = picture.plane_program(load_two_moons()).run(["red", "green", "blue"], x=x, y=y[:, None], **still)
    return np.stack(np.broadcast_arrays(*channels), -1)


def png(pixels: Array, colours: int = 0) -> bytes:
    """Pixels as a PNG; with so many ``colours``, as few as that and so a fraction of the bytes."""
    height, width, _ = pixels.shape
    whole = np.clip(pixels.round(), 0, 255).astype(np.uint8)
    if colours:
        chosen, index = _few(whole.reshape(-1, 3), colours)
        rows, kind, extra = index.reshape(height, width), 3, _chunk(b"PLTE", chosen.tobytes())
    else:
        rows, kind, extra = whole.reshape(height, -1), 2, b""
    lines = np.pad(rows.astype(np.uint8), ((0, 0), (1, 0))).tobytes()  # each begins with 0: no filter
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _few(pixels: Array, count: int, rounds: int = 12) -> tuple[Array, Array]:
    """K-means of colours, from evenly spread ones: the colours, and which of them each pixel has."""
    distinct, inverse, weight = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    points = distinct.astype(np.float32)
    centres = points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]
    for _ in range(rounds):
        nearest = _nearest(points, centres)
        total = np.bincount(nearest, weight, len(centres))
        sums = np.stack([np.bincount(nearest, weight * points[:, c], len(centres)) for c in range(3)], -1)
        centres = np.where(total[:, None] > 0, sums / np.maximum(total, 1)[:, None], centres).astype(np.float32)
    return centres.round().astype(np.uint8), _nearest(points, centres)[inverse.reshape(-1)]


def _nearest(points: Array, centres: Array) -> Array:
    squares = (centres**2).sum(1)
    parts = np.array_split(points, -(-len(points) // 20_000))
    return np.concatenate([(squares - 2 * part @ centres.T).argmin(1) for part in parts])


def read_png(browser: Browser, data: bytes) -> Array:
    """The pixels of a PNG, which a browser unpacks."""
    page = browser.new_page()
    width, height, values = page.evaluate(
        """async (source) => {
          const image = Object.assign(new Image(), { src: source });
          await image.decode();
          const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
          const pen = canvas.getContext('2d');
          pen.drawImage(image, 0, 0);
          const data = pen.getImageData(0, 0, image.width, image.height).data;
          let text = '';
          for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
          return [image.width, image.height, btoa(text)];
        }""",
        _address(data),
    )
    page.close()
    return np.frombuffer(base64.b64decode(values), np.uint8).reshape(height, width, 4)[..., :3].astype(float)


def _address(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def card(browser: Browser) -> bytes:
    """The picture for previews."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.set_content(f'<img src="{_address(png(sweep()))}">{_WORDS}')
    shot = page.screenshot()
    page.close()
    return png(read_png(browser, shot), COLOURS)


def states(browser: Browser) -> bytes:
    """The picture for README."""
    page = browser.new_page(viewport={"width": 400, "height": 358}, device_scale_factor=1.5)
    page.set_content(f'<html data-theme="light"><style>{palette.css()}{_ALONE}</style>{opening_figure().html()}')
    page.wait_for_selector("#opening[data-live]")
    shown = ""
    for beta, words in STATES:
        page.evaluate("(beta) => { location.hash = `opening.beta=${beta}`; }", beta)
        page.wait_for_timeout(1500)
        shot = page.screenshot()
        shown += f'<div><img src="{_address(shot)}">{words}</div>'
    page.close()
    row = browser.new_page(viewport={"width": WIDTH, "height": 100})
    row.set_content(_ROW + shown)
    shot = row.screenshot(full_page=True)
    row.close()
    return png(read_png(browser, shot), COLOURS)


def main() -> None:
    """Draw both."""
    tree = source_tree()
    if tree is None:
        raise SystemExit("the source tree is needed, and this package is not in one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, draw in (("og.png", card), ("hard-to-soft.png", states)):
            path = Path(tree, "book", "_assets", name)
            path.write_bytes(draw(browser))
            print(f"{path.name}: {path.stat().st_size // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main()
