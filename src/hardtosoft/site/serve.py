"""Serve the built site on this machine: ``python -m hardtosoft.site.serve _build/html``.

A static host in small: text is compressed, and a missing address answers with the site's own 404 page.
"""

from __future__ import annotations

import argparse
import errno
import functools
import gzip
import io
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

_COMPRESSED = {".html", ".js", ".css", ".json", ".svg", ".txt", ".inv", ".ipynb", ".md"}
_PORTS_TRIED = 100


class SiteHandler(SimpleHTTPRequestHandler):
    """Files of one folder, compressed where that helps, with its ``404.html`` for what is missing."""

    protocol_version = "HTTP/1.1"  # connections are kept, as any real host does

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Send status and headers, and give the body to follow."""
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.split("?")[0].endswith("/"):
            path /= "index.html"
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (accepted and path.suffix in _COMPRESSED and path.is_file()):
            return super().send_head()
        state = path.stat()
        modified = self.date_time_string(int(state.st_mtime))
        if self.headers.get("If-Modified-Since") == modified:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.end_headers()
            return None
        body = _compress(path, state.st_mtime_ns, state.st_size)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", modified)
        self.end_headers()
        return io.BytesIO(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a missing address with the site's own page."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self) -> None:
        """Let browsers ask again after each build instead of trusting their copy."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing for each request: the terminal keeps showing the address."""


@functools.lru_cache(maxsize=256)
def _compress(path: Path, _mtime_ns: int, _size: int) -> bytes:
    """Compress a file once for each state that it is in."""
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


class SiteServer(ThreadingHTTPServer):
    """A server that takes it calmly when a browser hangs up."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what goes wrong, except a connection that the other side has ended."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def make_server(folder: Path, port: int = 0) -> SiteServer:
    """Bind a server of ``folder`` to 127.0.0.1, without starting it.

    Args:
        folder: the built site.
        port: the port wanted; when it is taken, the next free one of 100. 0 lets the system choose.

    Returns:
        The server: call ``serve_forever``; its port is ``server_port``.

    Raises:
        FileNotFoundError: ``folder`` does not exist or is not a folder.
        OSError: none of the ports is free.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"folder must be a built site, got {folder}, which is no folder: run `make site`")
    handler = functools.partial(SiteHandler, directory=str(folder))
    for candidate in range(port, port + _PORTS_TRIED):
        try:
            return SiteServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"no free port from {port} to {port + _PORTS_TRIED - 1}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; the exit code is 0 then, and 1 when there is nothing to serve."""
    parser = argparse.ArgumentParser(prog="python -m hardtosoft.site.serve", description="Serve the built book.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("_build/html"), help="the built site")
    parser.add_argument("--port", type=int, default=8000, help="first port to try (default: 8000)")
    chosen = parser.parse_args(arguments)
    try:
        server = make_server(chosen.folder, chosen.port)
    except OSError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    with server:
        try:  # around the message too: who reads it may press Ctrl-C at once
            print(f"The book is at http://127.0.0.1:{server.server_port}/  (Ctrl-C stops it)", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
