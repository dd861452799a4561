"""Images for the experiments: what is read is what was stored, and damaged or wrong data gives one clear line."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.shared.images import CIFAR_FOLDER, DataError, load

ROOT = Path(__file__).parents[2]


def arrays(**changes):
    generator = np.random.default_rng(0)
    made = {
        "x_train": generator.integers(0, 256, (12, 6, 5, 3), dtype=np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": generator.integers(0, 256, (4, 6, 5, 3), dtype=np.uint8),
        "y_test": np.array([0, 1, 2, 2]),
    }
    return {name: array for name, array in (made | changes).items() if array is not None}


def stored(folder, **changes):
    path = folder / "images.npz"
    np.savez(path, **arrays(**changes))
    return path


def test_an_npz_file_is_read_as_it_is(tmp_path):
    data = load(stored(tmp_path))
    expected = arrays()
    for part in ("train", "test"):
        images = getattr(data, part)
        assert np.array_equal(images.pixels.numpy(), expected[f"x_{part}"])
        assert images.labels.tolist() == expected[f"y_{part}"].tolist()
        assert images.labels.dtype == torch.int64
    assert (data.name, data.num_classes) == ("images.npz", 3)
    same = load(stored(tmp_path, y_train=arrays()["y_train"].astype(np.uint8)))
    assert same.sha256 == data.sha256
    changed = arrays()["x_test"].copy()
    changed[0, 0, 0, 0] ^= 1
    assert load(stored(tmp_path, x_test=changed)).sha256 != data.sha256


def test_the_digits_are_those_of_the_book():
    data = load(None)
    assert data.train.pixels.shape == (1297, 8, 8, 1)
    assert (len(data.test), data.num_classes) == (500, 10)
    assert (data.train.pixels.min(), data.train.pixels.max()) == (0, 16)


class _AsPython2(pickle._Pickler):
    """Writes what CIFAR-10's batches hold the way that Python 2 and numpy 1 did: byte strings without an encoding."""

    dispatch = pickle._Pickler.dispatch.copy()

    def bytes_(self, value):
        self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)

    def text(self, value):
        self.bytes_(value.encode("latin1"))

    def array(self, value):
        self.write(b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n")
        self.write(b"K\x00\x85U\x01bt" + pickle.REDUCE)
        self.write(b"(K\x01K" + bytes([value.shape[0]]) + b"M" + value.shape[1].to_bytes(2, "little") + pickle.TUPLE2)
        self.write(
            b"cnumpy\ndtype\n(U\x02u1K\x00K\x01t"
            + pickle.REDUCE
            + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        )
        self.write(pickle.NEWFALSE)
        self.bytes_(value.tobytes())
        self.write(b"tb")

    dispatch[bytes], dispatch[str], dispatch[np.ndarray] = bytes_, text, array


def as_python_2(batch):
    stream = io.BytesIO()
    _AsPython2(stream, protocol=2).dump(batch)
    return stream.getvalue()


def cifar(folder, write):
    """A folder as CIFAR-10 is published, of two images a batch; its pixels in the order N, C, H, W."""
    (folder / CIFAR_FOLDER).mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3072), dtype=np.uint8)
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        batch = {"data": pixels[2 * i : 2 * i + 2], "labels": [i % 2, 1 - i % 2]}
        (folder / CIFAR_FOLDER / name).write_bytes(write(batch))
    return pixels.reshape(12, 3, 32, 32)


@pytest.mark.parametrize("write", [as_python_2, pickle.dumps], ids=["as published", "written again"])
@pytest.mark.parametrize("inside", [False, True])
def test_the_folder_of_cifar10(tmp_path, write, inside):
    pixels = cifar(tmp_path, write)
    data = load(tmp_path / CIFAR_FOLDER if inside else tmp_path)
    found = torch.cat((data.train.pixels, data.test.pixels)).permute(0, 3, 1, 2)
    assert np.array_equal(found.numpy(), pixels)
    assert data.train.labels.tolist() == [0, 1, 1, 0] * 2 + [0, 1]
    assert data.test.labels.tolist() == [1, 0]
    assert data.name == "CIFAR-10"


def one_line(path):
    """The error of loading ``path``, which names it."""
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_test": None}, "no array y_test"),
        ({"x_train": np.zeros((12, 6, 5), np.uint8)}, "uint8 of shape (N, H, W, C) as x_train"),
        ({"x_train": np.zeros((12, 3, 6, 5), np.uint8)}, "got uint8 of shape (12, 3, 6, 5)"),
        ({"x_test": np.zeros((4, 6, 5, 3))}, "got float64"),
        ({"x_train": np.zeros((12, 3, 5, 3), np.uint8)}, "sides of at least 4"),
        ({"x_train": np.zeros((12, 6, 6, 3), np.uint8)}, "training images of shape (6, 6, 3), but test images of"),
        ({"x_train": np.zeros((11, 6, 5, 3), np.uint8)}, "11 images x_train, but 12 labels y_train"),
        ({"x_test": np.zeros((0, 6, 5, 3), np.uint8), "y_test": np.zeros(0, np.int64)}, "no images x_test"),
        ({"y_train": np.arange(12) % 3 + 1}, "classes 0, 1, ..., each in y_train, got 1, 2, 3"),
        ({"y_train": np.zeros(12, np.int64)}, "classes 0, 1, ..., each in y_train, got 0"),
        ({"y_train": np.ones(12)}, "integers of shape (N,) as y_train, got float64"),
        ({"y_test": np.array([0, 1, 2, 7])}, "classes in y_test that are not in y_train: 7"),
        ({"y_test": np.array([{}] * 4)}, "cannot be read as an .npz file"),
    ],
)
def test_wrong_arrays(tmp_path, changes, words):
    assert words in one_line(stored(tmp_path, **changes))


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file(tmp_path, share):
    path = stored(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "cannot be read as an .npz file" in one_line(path)


def test_a_flipped_bit(tmp_path):
    path = stored(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.find(arrays()["x_test"].tobytes()) + 5] ^= 1
    path.write_bytes(damaged)
    assert "cannot be read as an .npz file" in one_line(path)


def test_what_is_no_data(tmp_path):
    assert "does not exist" in one_line(tmp_path / "nowhere.npz")
    (tmp_path / "text.npz").write_text("no images")
    assert "cannot be read as an .npz file" in one_line(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "is not an .npz file" in one_line(tmp_path / "one.npy")
    (tmp_path / "folder").mkdir()
    assert "there is no data_batch_1 in it" in one_line(tmp_path / "folder")


class _Harm:
    def __reduce__(self):
        return (print, ("this must not run",))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        pickle.dumps([1, 2]),
        pickle.dumps({"data": np.zeros((2, 5), np.uint8), "labels": [0, 1]}),
        pickle.dumps(_Harm()),
    ],
    ids=["empty", "a list", "wrong size", "a program"],
)
def test_a_damaged_batch_of_cifar10(tmp_path, capsys, content):
    cifar(tmp_path, pickle.dumps)
    damaged = tmp_path / CIFAR_FOLDER / "data_batch_3"
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=r"data_batch_3 cannot be read as a batch of CIFAR-10 \(.+\)$"):
        load(tmp_path)
    assert capsys.readouterr().out == ""
    damaged.unlink()
    assert "there is no data_batch_3 in it" in one_line(tmp_path)


@pytest.mark.parametrize("script", ["orthogonal_filters", "learned_beta"])
def test_the_script_says_it_in_one_line(tmp_path, script):
    command = [sys.executable, "-m", f"experiments.{script}", "--data", str(tmp_path / "nowhere.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"--data: {tmp_path / 'nowhere.npz'} does not exist\n"
