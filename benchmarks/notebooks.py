"""How fast live notebooks answer: ``.venv/bin/python -m benchmarks.notebooks``.

Measures in JupyterLab, in headless Chromium, one thread a kernel: from "run all" to the first figure that answers
(and how much of it the cells took by themselves), the bytes that came over the socket, and from a key press to the
painted answer of torch, for notebooks of one and of four figures, or of those named with ``--figures`` (``all`` for
every figure of the book); then the memory of the kernel and of the server.
Numbers are this machine's: compare within one run.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Locator, sync_playwright

from benchmarks.lab import LabNotebook, LabWindow, Server, serve_lab, write_notebook
from experiments.shared.program import program
from hardtosoft.figures import every_figure

IMPORTS = "from hardtosoft.figures import every_figure, relu_to_swish"
MAKERS = tuple(f"relu_to_swish.{name}_figure()" for name in ("unit", "opening", "objective", "gap"))
# From the key press to the task after the frame that shows its answer.
WATCH = """root => {
  const figure = root.hts, show = figure.show.bind(figure);
  window.took = [];
  let pressed = 0;
  root.addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
  figure.show = (changes) => {
    show(changes);
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => window.took.push(performance.now() - pressed);
      after.port2.postMessage(0);
    });
  };
}"""
READY = """() => {
  window.started = performance.now();
  const look = () => {
    const passed = performance.now() - window.started;
    if (document.querySelector('.hts-figure[data-ready]')) window.answers ||= passed;
    if (document.querySelector('.hts-figure[data-ready=plotly]')) window.plotted ||= passed;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def chosen(names: Sequence[str]) -> list[Sequence[str]]:
    """The cells that make figures, notebook by notebook: of the named figures, else one and four that differ."""
    if not names:
        return [MAKERS[:1], MAKERS]
    known = [figure.name for figure in every_figure()]
    unknown = set(names) - {"all", *known}
    if unknown:
        raise SystemExit(f"no figure is called {', '.join(sorted(unknown))}; figures are {', '.join(known)}")
    wanted = known if "all" in names else names
    return [[f"next(figure for figure in every_figure() if figure.name == {name!r})" for name in wanted]]


def alone(cells: Sequence[str]) -> float:
    """Seconds that the cells up to the first figure take in Python by themselves, in a process of their own."""
    code = (
        f"import time; start = time.perf_counter()\n{IMPORTS}\n{cells[1]}.frame()\nprint(time.perf_counter() - start)"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def opening(browser: Browser, lab: Server, cells: Sequence[str]) -> tuple[LabNotebook, float, float, int]:
    """A notebook run from its beginning; seconds to its first figure and to plotly, and bytes that came meanwhile."""
    write_notebook(lab.folder / f"notebook{len(cells)}.ipynb", cells)
    notebook = LabWindow(browser, lab).open(f"notebook{len(cells)}.ipynb")
    notebook.page.wait_for_timeout(1000)
    before = notebook.received
    notebook.page.evaluate(READY)
    notebook.start_command("notebook:run-all-cells")
    notebook.wait_for_figures(len(cells) - 1)
    notebook.wait_until_idle()
    answers, plotted = notebook.page.evaluate("[window.answers / 1000, window.plotted / 1000]")
    return notebook, answers, plotted, notebook.received - before


def moves(figure: Locator, count: int) -> list[float]:
    """Milliseconds from a key press on the last slider to the painted answer, one press after the other."""
    page, slider = figure.page, figure.locator("input[type=range]").last
    figure.scroll_into_view_if_needed()
    figure.evaluate(WATCH)
    slider.focus()
    page.keyboard.press("ArrowLeft" if float(slider.input_value()) else "ArrowRight")
    page.wait_for_function("() => window.took.length === 1")
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    page.evaluate("window.took.length = 1")
    way = min(20, int(slider.get_attribute("max") or 1))
    for done in range(1, count):
        page.wait_for_timeout(random.uniform(5, 150))  # sometimes while the slider moves, sometimes at rest
        page.keyboard.press("ArrowRight" if (done - 1) % (2 * way) < way else "ArrowLeft")
        page.wait_for_function("(done) => window.took.length > done", arg=done)
    took: list[float] = page.evaluate("window.took")
    return sorted(took[1:])


def resident(process: int) -> float:
    """Memory of a process, in MB of 10⁶ bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


def kernels(server: int) -> list[int]:
    """Process numbers of the kernels that a server has started."""
    found = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return [int(child) for child in found if "ipykernel" in Path(f"/proc/{child}/cmdline").read_text()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog=program(), description="How fast live notebooks answer.")
    parser.add_argument("--runs", type=int, default=3, help="openings, of which the median counts")
    parser.add_argument("--figures", nargs="*", default=[], help="names of figures, or all, in one notebook each time")
    parser.add_argument("--moves", type=int, default=80, help="key presses on each figure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serve_lab(Path(folder)) as lab, sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for makers in chosen(options.figures):
            cells, count = [IMPORTS, *makers], len(makers)
            found = []
            for run in range(options.runs):
                notebook, *times = opening(browser, lab, cells)
                found.append((*times, alone(cells)))
                if run < options.runs - 1:
                    notebook.window.close()
            answers, plotted, received, by_itself = (statistics.median(values) for values in zip(*found, strict=True))
            print(
                f"{count} figures: the first answers after {answers:.2f} s, plotly after {plotted:.2f} s; the cells "
                f"alone take {by_itself:.2f} s; {received / 1000:.0f} kB over the socket"
            )
            for figure in notebook.page.locator(".hts-figure").all():
                name = figure.get_attribute("id")
                if not figure.locator("input[type=range]").count():
                    print(f"  {name}: has no slider")
                    continue
                took = moves(figure, options.moves)
                p95 = took[int(0.95 * len(took))]
                print(f"  {name}: key to painted answer, median / p95 ms: {statistics.median(took):.0f} / {p95:.0f}")
            time.sleep(1)
            memory = ", ".join(f"{resident(kernel):.0f}" for kernel in kernels(lab.process.pid))
            print(f"  kernel {memory} MB, server {resident(lab.process.pid):.0f} MB resident")
            notebook.window.close()
        browser.close()


if __name__ == "__main__":
    main()
