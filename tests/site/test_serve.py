"""The book's own server: files, compression, the page for missing addresses, ports, Ctrl-C."""

from __future__ import annotations

import gzip
import http.client
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardtosoft.site.serve import main, make_server

PAGE = "<!DOCTYPE html><title>book</title>" + "long text " * 500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "404.html").write_text("<h1>not here</h1>")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" + bytes(2000))
    (tmp_path / "part").mkdir()
    return tmp_path


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    with make_server(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/index.html", "/index.html?x=1"])
def test_text_is_compressed_where_the_browser_asks_for_it(port: int, path: str) -> None:
    status, headers, body = ask(port, path, Accept_Encoding="gzip, br")
    assert status == 200
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "text/html"
    assert int(headers["Content-Length"]) == len(body) < len(PAGE) / 10
    assert gzip.decompress(body).decode() == PAGE


def test_text_is_plain_where_the_browser_does_not(port: int) -> None:
    status, headers, body = ask(port, "/")
    assert status == 200
    assert "Content-Encoding" not in headers
    assert body.decode() == PAGE


def test_pictures_are_not_compressed_again(port: int, folder: Path) -> None:
    _, headers, body = ask(port, "/picture.png", Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers
    assert body == (folder / "picture.png").read_bytes()


def test_a_new_build_is_seen_at_once(port: int, folder: Path) -> None:
    _, headers, _ = ask(port, "/", Accept_Encoding="gzip")
    again, _, body = ask(port, "/", Accept_Encoding="gzip", If_Modified_Since=headers["Last-Modified"])
    assert (again, body) == (304, b"")
    assert headers["Cache-Control"] == "no-cache"
    (folder / "index.html").write_text("new")
    assert gzip.decompress(ask(port, "/", Accept_Encoding="gzip")[2]) == b"new"


@pytest.mark.parametrize("path", ["/missing.html", "/a/b/c", "/part/missing", "/../../etc/passwd"])
def test_missing_addresses_get_the_sites_page(port: int, path: str) -> None:
    status, _, body = ask(port, path, Accept_Encoding="gzip")
    assert (status, body) == (404, b"<h1>not here</h1>")


def test_head_sends_no_body(port: int) -> None:
    assert ask(port, "/", method="HEAD")[2] == b""
    status, headers, body = ask(port, "/missing.html", method="HEAD")
    assert (status, body, headers["Content-Length"]) == (404, b"", "17")


def test_without_a_404_page_the_answer_is_still_404(port: int, folder: Path) -> None:
    (folder / "404.html").unlink()
    assert ask(port, "/missing.html")[0] == 404


def test_a_taken_port_is_passed_over(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        with make_server(folder, wanted) as server:
            assert wanted < server.server_port < wanted + 100


def test_a_missing_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "html"
    with pytest.raises(FileNotFoundError, match="make site"):
        make_server(missing)
    assert main([str(missing)]) == 1
    assert str(missing) in capsys.readouterr().err


def test_a_browser_that_hangs_up_is_no_error(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        # Closing with a linger of 0 seconds resets the connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"GET / HTTP/1.1\r\n")
    assert ask(port, "/")[0] == 200
    assert capfd.readouterr().err == ""


def test_ctrl_c_ends_it_quietly(folder: Path) -> None:
    command = [sys.executable, "-m", "hardtosoft.site.serve", str(folder)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts without it
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert line.startswith("The book is at http://127.0.0.1:")
    assert line.endswith("/  (Ctrl-C stops it)\n")
    assert process.returncode == 0
    assert errors == ""
