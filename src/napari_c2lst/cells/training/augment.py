"""Augmentation for nuclei: turned, resized windows; other stains; blur, noise; and what a coarser scan would show.

The image and its maps go through the same window. Every draw is a function of the generator that is given.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from .layouts import CellImage

MAX_SHEAR = 0.09  # about 5 degrees
COARSEST_SHARE = 1.05  # the coarsest scan that is drawn, and the finest, as shares of the one that is asked for
FINEST_SHARE = 0.6


@dataclass(frozen=True)
class Window:
    """A square of an image, turned and resized.

    Attributes
    ----------
    matrix
        (2, 2): steps in the image, (y, x), for a step down and a step right in the window.
    middle
        (y, x) of the window's middle in the image.
    px
        Side of the window in pixels.
    """

    matrix: NDArray[np.float64]
    middle: tuple[float, float]
    px: int

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns in the image of every pixel of the window, (px, px) each."""
        steps = np.arange(self.px) - (self.px - 1) / 2
        (a, b), (c, d) = self.matrix
        y = self.middle[0] + a * steps[:, None] + b * steps[None, :]
        x = self.middle[1] + c * steps[:, None] + d * steps[None, :]
        return y, x


def draw_window(rng: np.random.Generator, shape: tuple[int, int], px: int, scale: float) -> Window:
    """A window at a random place that lies inside the image as far as it fits, turned by any angle, flipped or not.

    Parameters
    ----------
    shape
        Height and width of the image.
    scale
        Largest change of size, as a share.
    """
    angle, shear = rng.uniform(0, 2 * np.pi), rng.uniform(-MAX_SHEAR, MAX_SHEAR)
    sizes = rng.uniform(1 - scale, 1 + scale, 2) * np.array([1.0, rng.choice([-1.0, 1.0])])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag(sizes)
    y, x = (rng.uniform(min(px, n) / 2, n - min(px, n) / 2) - 0.5 for n in shape)
    return Window(matrix, (float(y), float(x)), px)


def plain_window(shape: tuple[int, int], px: int) -> Window:
    """The middle of an image as it is."""
    return Window(np.eye(2), ((shape[0] - px) // 2 + (px - 1) / 2, (shape[1] - px) // 2 + (px - 1) / 2), px)


def look_through(window: Window, nuclei: CellImage) -> CellImage:
    """What a window shows: the image bilinear, the maps by the nearest pixel; the image is mirrored beyond its edge."""
    y, x = window.places()
    height, width = nuclei.instances.shape
    near = _mirrored(np.rint(y).astype(np.int64), height), _mirrored(np.rint(x).astype(np.int64), width)
    return CellImage(
        _bilinear(nuclei.image, y, x),
        nuclei.instances[near],
        None if nuclei.types is None else nuclei.types[near],
    )


def _bilinear(image: NDArray[np.uint8], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    down, right = (y - top)[..., None].astype(np.float32), (x - left)[..., None].astype(np.float32)
    rows, columns = (
        (_mirrored(top, height), _mirrored(top + 1, height)),
        (
            _mirrored(left, width),
            _mirrored(left + 1, width),
        ),
    )
    upper = image[rows[0], columns[0]] * (1 - right) + image[rows[0], columns[1]] * right
    lower = image[rows[1], columns[0]] * (1 - right) + image[rows[1], columns[1]] * right
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _mirrored(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Places beyond either end count back, the end itself once."""
    if count == 1:
        return np.zeros_like(places)
    folded = np.abs(places) % (2 * count - 2)
    inside: NDArray[np.int64] = (count - 1) - np.abs(folded - (count - 1))
    return inside


def degrade(image: NDArray[np.uint8], factor: float, smooth: bool = True) -> NDArray[np.uint8]:
    """An image as a scan with pixels `factor` times as large shows it, brought back to its size.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    factor
        At least 1; 0.7 um/px instead of 0.25 are 2.8.
    smooth
        Bicubic on the way back, else bilinear.
    """
    if factor <= 1:
        return image
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize(
        (max(1, round(width / factor)), max(1, round(height / factor))), Image.Resampling.BOX
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC if smooth else Image.Resampling.BILINEAR))


def change_look(rng: np.random.Generator, image: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Another stain and exposure: optical densities of R, G and B, saturation, brightness and contrast change a little.

    Parameters
    ----------
    strength
        Largest change as a share; 0 changes nothing.
    """
    if not strength:
        return image
    common, single = rng.uniform(-strength, strength), rng.uniform(-strength / 2, strength / 2, 3)
    saturation, contrast = rng.uniform(1 - strength, 1 + strength, 2)
    brightness = rng.uniform(-strength / 2, strength / 2) * 255
    density = -np.log((image.astype(np.float32) + 1) / 256) * (1 + common + single).astype(np.float32)
    x = 256 * np.exp(-density) - 1
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * saturation
    level = x.mean()
    x = level + (x - level) * contrast + brightness
    return _as_bytes(x)


def blur_or_noise(rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One of: nothing, nothing, a Gaussian blur, noise."""
    kind, amount = rng.integers(4), rng.uniform(0.3, 1.0)
    if kind == 2:
        return np.asarray(ndimage.gaussian_filter(image, (amount, amount, 0)), np.uint8)
    if kind == 3:
        noisy = image + rng.normal(0, 10 * amount, image.shape)
        return _as_bytes(noisy)
    return image


def change_pixels(
    rng: np.random.Generator, image: NDArray[np.uint8], *, colour: float, degraded_share: float, factor: float
) -> NDArray[np.uint8]:
    """All that changes the image alone.

    Parameters
    ----------
    colour
        Strength of `change_look`.
    degraded_share
        Share of images that are degraded.
    factor
        How much coarser the coarsest scan is; finer ones are drawn too.
    """
    image = change_look(rng, image, colour)
    if rng.uniform() < degraded_share:
        return degrade(image, rng.uniform(FINEST_SHARE, COARSEST_SHARE) * factor, smooth=bool(rng.integers(2)))
    return blur_or_noise(rng, image)


def _as_bytes(x: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(x), 0, 255), np.uint8)
