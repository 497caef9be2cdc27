"""Small images with round nuclei of two types, and folders of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.cells.training.layouts import CellImage
from napari_c2lst.cells.training.settings import TrainCellsSettings


def disc_image(px: int = 120, count: int = 12, seed: int = 0) -> CellImage:
    """Dark discs on pale ground; small ones (type 1) are blue, large ones (type 2) violet."""
    rng = np.random.default_rng(seed)
    image = np.full((px, px, 3), (235, 215, 230), np.uint8)
    instances, types = np.zeros((px, px), np.int32), np.zeros((px, px), np.uint8)
    y, x = np.mgrid[:px, :px]
    for number in range(1, count + 1):
        kind = int(rng.integers(1, 3))
        radius = 6 if kind == 1 else 10
        cy, cx = rng.integers(radius, px - radius, 2)
        inside = ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2) & (instances == 0)
        instances[inside], types[inside] = number * 3, kind
        image[inside] = (60, 60, 150) if kind == 1 else (130, 60, 140)
    noise = rng.integers(-8, 9, image.shape)
    return CellImage(np.clip(image + noise, 0, 255).astype(np.uint8), instances, types)


def write_pngs(folder: Path, name: str, nuclei: CellImage, split: str = "train", ending: str = "png") -> None:
    """Write an image in the layout images/ inst/ type/."""
    arrays = {"images": nuclei.image, "inst": nuclei.instances.astype(np.uint16), "type": nuclei.types}
    for part, array in arrays.items():
        if array is not None:
            place = folder / part / split
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(place / f"{name}.{ending if part == 'images' else 'png'}")


def disc_folder(folder: Path, train: int = 2, test: int = 1, px: int = 120) -> Path:
    """A data set with both splits."""
    for k in range(train):
        write_pngs(folder, f"train_{k}", disc_image(px, seed=k))
    for k in range(test):
        write_pngs(folder, f"test_{k}", disc_image(px, seed=100 + k), "test")
    return folder


FAST = {
    "preset": "small",
    "device": "cpu",
    "precision": "fp32",
    "width": 0.0625,
    "patch_px": 104,
    "batch": (2, 2),
    "parts": 1,
    "checkpoint_every": 1000,
}


def cell_settings(data: Path, out: Path, **values: object) -> TrainCellsSettings:
    """Settings of a training that takes a second."""
    return TrainCellsSettings.resolve(**{"data": (data,), "out": out, "epochs": (0, 2), **FAST, **values})


def square_labels(px: int, *squares: tuple[int, int, int, int]) -> NDArray[np.int32]:
    """A label map with rectangles (top, left, height, width) as 1, 2, ..."""
    labels = np.zeros((px, px), np.int32)
    for number, (top, left, height, width) in enumerate(squares, 1):
        labels[top : top + height, left : left + width] = number
    return labels
