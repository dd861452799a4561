"""The pictures that stand for the book elsewhere: what they show, and that a PNG holds what it was given."""

import struct
import zlib

import numpy as np

from hardtosoft.site import cards


def unpacked(data):
    """A PNG's pixels, by its chunks."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 8
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    if kind == 3:
        return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]
    return lines[:, 1:].reshape(height, width, 3)


def test_a_png_holds_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(float)
    np.testing.assert_array_equal(unpacked(cards.png(pixels)), pixels)


def test_few_colours_come_near_and_are_exact_where_there_are_no_more():
    few = np.random.default_rng(0).integers(0, 2, (6, 9, 3)) * 200.0
    np.testing.assert_array_equal(unpacked(cards.png(few, 8)), few)
    ramp = np.linspace(0, 255, 4096).reshape(64, 64, 1).repeat(3, 2)
    assert np.abs(unpacked(cards.png(ramp, 64)).astype(float) - ramp).max() <= 4


def test_the_card_is_hard_on_the_left_and_soft_on_the_right():
    steps = np.abs(np.diff(cards.sweep(), axis=0)).max(-1)
    assert steps[:, :400].max() > 100
    assert steps[:, 900:].max() < 3  # no edge is left, and there is no line
