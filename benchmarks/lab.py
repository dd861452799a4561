"""JupyterLab as a reader meets it, for tests and benchmarks: a server of its own, and a notebook open in a browser."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator, Page

TOKEN = "reader"
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
SETTLED = "root => root.dataset.told === root.hts.indices.join() && root.dataset.waiting === undefined"
SHOWN_BY_PLOTLY = """(root, name) => {
  const traces = [...root.querySelectorAll('.hts-plotly')].flatMap((plot) => plot.data);
  return Array.from(traces.find((trace) => trace.name === name).y);
}"""
IS_OPEN = "(name) => window.jupyterapp.shell.currentWidget?.context?.path === name"
CLOSE = """() => {
  for (const widget of [...window.jupyterapp.shell.widgets('main')].filter((one) => one.context)) {
    widget.context.model.dirty = false;
    widget.dispose();
  }
}"""
KERNEL_IS_IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, the folder it shows, its process."""

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the server's own interface answers."""
        request = urllib.request.Request(
            f"{self.address}api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def end_sessions(self) -> None:
        """Shut every kernel down."""
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", "DELETE")


@contextmanager
def serve_lab(folder: Path) -> Iterator[Server]:
    """Run JupyterLab over ``folder``/notebooks, with settings of its own, one thread a kernel and live figures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shown, settings = folder / "notebooks", folder / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text(json.dumps(QUIET))
    shown.mkdir(exist_ok=True)
    places = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    environment = {**os.environ, **places, "OMP_NUM_THREADS": "1"}
    environment.pop("HARDTOSOFT_STATIC", None)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--expose-app-in-browser"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=shown, env=environment, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}/", shown, process)
    try:
        _wait(server, folder / "server.log")
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _wait(server: Server, log: Path) -> None:
    for _ in range(300):
        if server.process.poll() is not None:
            break
        try:
            server.ask("status")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start; its log ends with:\n{log.read_text()[-2000:]}")


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    nbformat.write(notebook, path)


class LabWindow:
    """A browser's window with JupyterLab, in which a reader opens one notebook after another.

    Attributes:
        page: the playwright page.
        received: bytes that came over web sockets so far.
        errors: errors on the console and uncaught exceptions since the last notebook was opened.
    """

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000})
        self.page: Page = self.context.new_page()
        self.received, self.errors = 0, list[str]()
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", self._count)
        self.page.goto(f"{server.address}lab?token={TOKEN}&reset", wait_until="load")
        self.page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)", timeout=60_000)

    def _count(self, event: dict[str, Any]) -> None:
        text, size = event["response"]["opcode"] == 1, len(event["response"]["payloadData"])
        self.received += size if text else size * 3 // 4  # what is not text is reported in base64

    def open(self, name: str, *, dark: bool = False) -> LabNotebook:
        """Open a notebook of the server's folder beside no other; its kernel is idle."""
        self.errors.clear()
        notebook = LabNotebook(self, name)
        notebook.command("apputils:change-theme", theme=f"JupyterLab {'Dark' if dark else 'Light'}")
        notebook.command("docmanager:open", path=name)
        self.page.wait_for_function(IS_OPEN, arg=name, timeout=60_000)
        notebook.wait_until_idle()
        return notebook

    def close(self) -> None:
        """Close the browser's window and shut every kernel down."""
        self.context.close()
        self.server.end_sessions()


class LabNotebook:
    """A notebook open in JupyterLab, its kernel idle.

    Attributes:
        page: the playwright page.
    """

    def __init__(self, window: LabWindow, name: str) -> None:
        self.window, self.page, self.server, self.name = window, window.page, window.server, name

    @property
    def received(self) -> int:
        """Bytes that came over the window's web sockets so far."""
        return self.window.received

    @property
    def errors(self) -> list[str]:
        """Errors on the console and uncaught exceptions since the notebook was opened."""
        return self.window.errors

    def wait_until_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(KERNEL_IS_IDLE, timeout=60_000)

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands and wait for it."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)", [name, arguments]
        )

    def start_command(self, name: str) -> None:
        """Run one of JupyterLab's commands without waiting."""
        self.page.evaluate("(name) => { window.jupyterapp.commands.execute(name) }", name)

    def run_all(self, figures: int) -> None:
        """Run every cell, and wait until so many figures are drawn by plotly."""
        self.command("notebook:run-all-cells")
        self.wait_for_figures(figures)

    def wait_for_figures(self, count: int) -> None:
        """Wait until so many figures are drawn by plotly."""
        ready = "(count) => document.querySelectorAll('.hts-figure[data-ready=plotly]').length >= count"
        self.page.wait_for_function(ready, arg=count, timeout=60_000)

    def figure(self, name: str, view: int = 0) -> Locator:
        """A figure of the notebook by its name."""
        return self.page.locator(f".hts-figure[id^={name}-view]").nth(view)

    def settled(self, figure: Locator) -> dict[str, Any]:
        """Where a figure's axes stand, once the kernel has answered and plotly has been told."""
        handle = figure.element_handle()
        self.page.wait_for_function(SETTLED, arg=handle, timeout=20_000)
        values: dict[str, Any] = figure.evaluate("root => root.hts.values()")
        return values

    def drawn(self, figure: Locator, trace: str) -> list[float]:
        """The y values that plotly shows for a trace of a figure."""
        values: list[float] = figure.evaluate(SHOWN_BY_PLOTLY, trace)
        return values

    def close(self) -> None:
        """Close the notebook without saving it and shut its kernel down."""
        self.page.evaluate(CLOSE)
        self.server.end_sessions()
