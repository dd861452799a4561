"""How fast the built pages answer: ``make site && .venv/bin/python -m benchmarks.pages``.

Measures in headless Chromium, for the figures of the built site: from a key press to the painted frame, on this one
and with its CPU slowed four times; on a phone-like line (1.6 Mbps, 150 ms, CPU slowed four times) when the first
slider answers and when plotly is there; and what a first visit weighs, compressed as the bundled server sends it.
The landing page's figure draws every β itself: for it, the milliseconds of a frame in software WebGL and on a plain
canvas, while it is moved and at rest. Numbers are this machine's: compare within one run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from experiments.shared.program import program
from hardtosoft.site.serve import make_server

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}

# From the input event's own time stamp to the task after the frame that shows its result.
WATCH = """() => { window.took = []; document.addEventListener('input', (event) => requestAnimationFrame(() => {
  const after = new MessageChannel();
  after.port1.onmessage = () => window.took.push(performance.now() - event.timeStamp);
  after.port2.postMessage(0);
})) }"""
READY = """() => { const look = () => {
  const states = document.querySelector('[data-ready]'), plot = document.querySelector('[data-ready=plotly]');
  if (states) window.answered ||= performance.now();
  if (plot) window.plotted ||= performance.now(); else requestAnimationFrame(look);
}; requestAnimationFrame(look); }"""

NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind === 'webgl' ? null : get.call(this, kind, ...more);
};"""
# Milliseconds of each of 40 moves of the opening's slider until its picture is drawn, and of the whole at rest.
SLIDE = """async () => {
  const slider = document.querySelector('#opening input');
  const drawn = () => {
    const canvas = document.querySelector('.hero-canvas'), gl = canvas.getContext('webgl');
    if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    else canvas.getContext('2d').getImageData(0, 0, 1, 1);
  };
  const took = (act) => { const begun = performance.now(); act(); drawn(); return performance.now() - begun; };
  const rest = () => new Promise((resolve) => setTimeout(resolve, 1500));
  const move = (step) => { slider.value = step; slider.dispatchEvent(new Event('input', { bubbles: true })); };
  move(50); await rest();
  const moves = [];
  for (let step = 10; step < 50; step++) {
    moves.push(took(() => move(2 * step)));
    await new Promise(requestAnimationFrame);
  }
  await rest();
  return [moves, took(() => dispatchEvent(new Event('beforeprint')))]; // which draws the whole
}"""


def opening(browser: Browser, address: str, *, webgl: bool) -> str:
    """Median and 95th percentile of a move, and the whole at rest, of the landing page's figure, in milliseconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    if not webgl:
        page.add_init_script(NO_WEBGL)
    page.goto(address)
    page.wait_for_selector("#opening[data-live]")
    moves, whole = page.evaluate(SLIDE)
    page.close()
    took = sorted(moves)
    return f"{statistics.median(took):5.1f} / {took[int(0.95 * len(took))]:5.1f}   at rest {whole:5.1f}"


def redraw(page: Page, name: str, *, slowed: int) -> str:
    """Median and 95th percentile over 60 key presses on the first slider or choice of a figure, in milliseconds."""
    page.locator(f"#{name}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#{name}[data-ready=plotly]")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.evaluate("() => { window.took = [] }")
    slider = page.locator(f"#{name} input[type=range]")
    control = slider.first if slider.count() else page.locator(f"#{name} input[type=radio]:checked").first
    control.focus()
    page.keyboard.press("Home")
    stops = int(control.get_attribute("max") or 60)  # a choice goes round
    for press in range(60):  # up, and down again where the slider ends
        page.keyboard.press("ArrowRight" if press // stops % 2 == 0 else "ArrowLeft")
        page.wait_for_timeout(23)  # no multiple of a frame: presses fall everywhere between two frames
    page.wait_for_function("() => window.took.length >= 40")
    took = sorted(page.evaluate("window.took"))
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return f"{statistics.median(took):5.1f} / {took[int(0.95 * len(took))]:5.1f}"


def first_visit(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until the first slider answers and until plotly is there, on a phone-like line."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.add_init_script(f"({READY})()")
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.plotted", timeout=60_000)
    times: list[float] = page.evaluate("[window.answered / 1000, window.plotted / 1000]")
    context.close()
    return times[0], times[1]


def weight(browser: Browser, address: str) -> dict[str, int]:
    """Compressed kilobytes of everything a first visit loads, the page read to its end, by kind."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    kinds: dict[str, str] = {}
    sizes: dict[str, float] = {}
    session.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))

    def finished(event: dict[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "Other")
        sizes[kind] = sizes.get(kind, 0) + event["encodedDataLength"]

    session.on("Network.loadingFinished", finished)
    page.goto(address)
    for figure in page.locator(".hts-figure").all():
        figure.scroll_into_view_if_needed()
        page.wait_for_selector(f"#{figure.get_attribute('id')}[data-ready=plotly]")
    page.wait_for_load_state("networkidle")
    context.close()
    return {kind: round(size / 1000) for kind, size in {"all": sum(sizes.values()), **sizes}.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog=program(), description="How fast the built pages answer.")
    parser.add_argument("--site", type=Path, default=Path("_build/html"))
    chapters = sorted(f"{notebook.stem}.html" for notebook in Path("book").glob("*.ipynb"))
    parser.add_argument("--pages", nargs="+", default=chapters, help="every page with figures unless given")
    parser.add_argument("--visits", type=int, default=5, help="first visits, of which the median counts")
    options = parser.parse_args()
    with make_server(options.site) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        flags.append("--enable-unsafe-swiftshader")  # WebGL without a graphics card
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for path in options.pages:
            address = f"http://127.0.0.1:{server.server_port}/{path}"
            page = browser.new_page()
            page.goto(address)
            names = [figure.get_attribute("id") or "" for figure in page.locator(".hts-figure").all()]
            print(f"{path}: first visit, kB: {weight(browser, address)}")
            if page.locator("#opening[data-live]").count():
                for webgl in (True, False):
                    kind = "software WebGL" if webgl else "plain canvas"
                    print(
                        f"{path}#opening: a frame, median / p95 ms, {kind}: {opening(browser, address, webgl=webgl)}"
                    )
            if not names:
                page.close()
                continue
            # A link to the page's first figure: it may stand below the first screen, where nothing loads unasked.
            visits = [first_visit(browser, f"{address}#{names[0]}") for _ in range(options.visits)]
            answered, plotted = (statistics.median(times) for times in zip(*visits, strict=True))
            print(f"{path}: phone-like line: slider answers {answered:.2f} s, plotly {plotted:.2f} s")
            page.evaluate(WATCH)
            for name in names:
                as_it_is, slowed = (redraw(page, name, slowed=rate) for rate in (1, 4))
                print(f"{path}#{name}: key to frame, median / p95 ms: {as_it_is}   CPU slowed 4 times: {slowed}")
            page.close()
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
