"""Maps a perfect, or a somewhat noisy, network would give for known nuclei."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage


def consep(shared: Path, number: int = 0, split: str = "test") -> tuple[NDArray[np.uint8], ...]:
    """Image, instances and types of a patch of CoNSeP."""
    folder = shared / "hne-consep"
    name = sorted(p.stem for p in (folder / "inst" / split).glob("*.png"))[number]
    return tuple(
        np.asarray(Image.open(next((folder / part / split).glob(f"{name}.*")))) for part in ("images", "inst", "type")
    )


def distances(labels: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Horizontal and vertical maps: from the centre of mass, -1 to 1 in each nucleus."""
    maps = np.zeros((2, *labels.shape), np.float32)
    for number in np.unique(labels)[1:]:
        y, x = np.nonzero(labels == number)
        for axis, values in enumerate((x, y)):
            away = values - np.round(values.mean())
            low, high = -away.min(), away.max()
            scaled = np.where(away < 0, away / max(low, 1), away / max(high, 1))
            maps[axis, y, x] = scaled
    return maps[0], maps[1]


def noisy(
    labels: NDArray[np.integer], seed: int = 0, noise: float = 0.15
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Probability, horizontal and vertical maps, blurred and with noise, as a network gives them."""
    rng = np.random.default_rng(seed)

    def worn(values: NDArray[np.floating]) -> NDArray[np.float32]:
        grain = ndimage.gaussian_filter(rng.normal(size=labels.shape), 1.5) * 5 * noise
        return (ndimage.gaussian_filter(values, 0.8) + grain).astype(np.float32)

    horizontal, vertical = distances(labels)
    prob = np.clip(worn((labels > 0).astype(np.float32)), 0, 1)
    return prob, worn(horizontal), worn(vertical)


def discs(shape: tuple[int, int], centres: list[tuple[int, int]], radius: int = 8) -> NDArray[np.int32]:
    """Labels of discs; where two meet, the nearer centre has the pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = np.stack([np.hypot(y - cy, x - cx) for cy, cx in centres])
    return np.where(away.min(axis=0) <= radius, away.argmin(axis=0) + 1, 0).astype(np.int32)
