"""Small images to classify: scikit-learn's digits, an ``.npz`` file, or CIFAR-10 in the folder it is published as."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hardtosoft.results.networks import digits_test_set, digits_training_set

Array = NDArray[Any]
NAMES = ("x_train", "y_train", "x_test", "y_test")
HELD_OUT, SEED_OF_SPLIT = 0.2, 0  # the share of the training images that settings are chosen by
SMALLEST_SIDE = 4  # two poolings of 2×2
CIFAR_FOLDER = "cifar-10-batches-py"
CIFAR_SHAPE = (3, 32, 32)
# All that a batch of CIFAR-10 needs to be unpickled: what else a file may name is not run.
UNPICKLED = {
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class DataError(Exception):
    """Data that cannot be used; the message is one line, and says what was found and what is needed."""


@dataclass(frozen=True)
class Images:
    """Images ``(N, H, W, C)`` of uint8 and their classes ``(N,)``, from 0."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: Tensor | slice) -> Images:
        """Some of them."""
        return Images(self.pixels[rows], self.labels[rows])

    def split(self, share: float) -> tuple[Images, Images]:
        """A share of them, drawn at random and always the same, and the others."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(SEED_OF_SPLIT))
        count = round(share * len(order))
        return self.rows(order[:count]), self.rows(order[count:])


@dataclass(frozen=True)
class DataSet:
    """Images to learn from and to test on.

    Attributes:
        name: of the file, folder or set.
        num_classes: the classes are 0 to ``num_classes`` − 1, and each is among the training images.
        sha256: of all pixels and labels.
    """

    name: str
    train: Images
    test: Images
    num_classes: int
    sha256: str

    @property
    def colour(self) -> bool:
        """Whether the images have three channels, not one."""
        return self.train.pixels.shape[3] == 3


def halved(data: DataSet) -> DataSet:
    """The same images with half the sides: each pixel is the mean of 2×2."""

    def half(images: Images) -> Images:
        levels = F.avg_pool2d(images.pixels.permute(0, 3, 1, 2).float(), 2).round().to(torch.uint8)
        return Images(levels.permute(0, 2, 3, 1).contiguous(), images.labels)

    return replace(data, train=half(data.train), test=half(data.test))


def load(path: Path | None) -> DataSet:
    """The digits for None; else an ``.npz`` file, or a folder that is, or holds, ``cifar-10-batches-py``.

    Raises:
        DataError: nothing there, damaged, or not images and labels as they are needed.
    """
    if path is None:
        return _digits()
    if path.is_dir():
        return _checked("CIFAR-10", _cifar(path), path)
    if not path.exists():
        raise DataError(f"{path} does not exist")
    return _checked(path.name, _npz(path), path)


def _digits() -> DataSet:
    arrays: dict[str, Array] = {}
    for name, (grey, labels) in (("train", digits_training_set()), ("test", digits_test_set())):
        # 17 levels of grey from 0 to 1.
        arrays[f"x_{name}"] = (grey * 16).round().to(torch.uint8).reshape(-1, 8, 8, 1).numpy()
        arrays[f"y_{name}"] = labels.numpy()
    return _checked("scikit-learn load_digits", arrays, Path("the digits"))


def _npz(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as stream:  # opened here, for numpy leaves a damaged file open
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is not an .npz file")
            missing = [name for name in NAMES if name not in file]
            if missing:
                raise DataError(f"{path} has no array {missing[0]}; it needs {', '.join(NAMES)}")
            return {name: file[name] for name in NAMES}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise DataError(f"{path} cannot be read as an .npz file, it may be damaged ({_first_line(error)})") from None


def _cifar(path: Path) -> dict[str, Array]:
    folder = path / CIFAR_FOLDER if (path / CIFAR_FOLDER).is_dir() else path
    parts = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
    missing = [name for names in parts.values() for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{path} is not a folder of CIFAR-10: there is no {missing[0]} in it, nor in {CIFAR_FOLDER}")
    arrays: dict[str, Array] = {}
    for part, names in parts.items():
        batches = [_cifar_batch(folder / name) for name in names]
        arrays[f"x_{part}"] = np.concatenate([pixels for pixels, _ in batches])
        arrays[f"y_{part}"] = np.concatenate([labels for _, labels in batches])
    return arrays


def _cifar_batch(path: Path) -> tuple[Array, Array]:
    try:
        found = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
        pixels, labels = np.asarray(found["data"]), np.asarray(found["labels"])
        images = pixels.reshape(-1, *CIFAR_SHAPE).transpose(0, 2, 3, 1)
    except Exception as error:  # a damaged pickle may raise anything
        raise DataError(f"{path} cannot be read as a batch of CIFAR-10 ({_first_line(error)})") from None
    return np.ascontiguousarray(images), labels


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # Where numpy 1 had it; CIFAR-10 was pickled with that.
        module = module.replace("numpy.core.", "numpy._core.")
        if (module, name) not in UNPICKLED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        if module.startswith("numpy._core"):
            return np.ndarray([0]).__reduce__()[0]  # numpy's own name for it differs between versions
        return super().find_class(module, name)


def _checked(name: str, arrays: dict[str, Array], path: Path) -> DataSet:
    digest = hashlib.sha256()
    for key in NAMES:
        _check(key, arrays[key], path)
        digest.update(arrays[key].astype(np.uint8 if key.startswith("x") else np.int64).tobytes())
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(x) != len(y):
            raise DataError(f"{path} has {len(x)} images x_{part}, but {len(y)} labels y_{part}")
        if not len(x):
            raise DataError(f"{path} has no images x_{part}")
    sizes = [arrays[key].shape[1:] for key in ("x_train", "x_test")]
    if sizes[0] != sizes[1]:
        raise DataError(f"{path} has training images of shape {sizes[0]}, but test images of shape {sizes[1]}")
    classes = np.unique(arrays["y_train"])
    if len(classes) < 2 or classes[0] != 0 or classes[-1] != len(classes) - 1:
        raise DataError(f"{path} must have classes 0, 1, ..., each in y_train, got {_short(classes)}")
    strange = np.setdiff1d(arrays["y_test"], classes)
    if len(strange):
        raise DataError(f"{path} has classes in y_test that are not in y_train: {_short(strange)}")
    train, test = (
        Images(torch.from_numpy(arrays[f"x_{part}"]), torch.from_numpy(arrays[f"y_{part}"].astype(np.int64)))
        for part in ("train", "test")
    )
    return DataSet(name, train, test, len(classes), digest.hexdigest())


def _check(key: str, array: Array, path: Path) -> None:
    shape = array.shape
    if key.startswith("y"):
        if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
            raise DataError(f"{path} needs integers of shape (N,) as {key}, got {array.dtype} of shape {shape}")
        return
    fits = array.ndim == 4 and array.dtype == np.uint8 and shape[3] in (1, 3)
    if not fits or min(shape[1:3]) < SMALLEST_SIDE:
        raise DataError(
            f"{path} needs uint8 of shape (N, H, W, C) as {key}, with sides of at least {SMALLEST_SIDE} and 1 or 3 "
            f"channels, got {array.dtype} of shape {shape}"
        )


def _short(values: Array) -> str:
    shown = ", ".join(str(value) for value in values[:5])
    return shown + (", ..." if len(values) > 5 else "")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
