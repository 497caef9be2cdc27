"""The same stain normalisation done by staintools (optional: GPL-3 through spams), one patch at a time.

staintools needs an image, not a batch, writes into its input and raises on a white one: this file hides all three.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .colour import Floats, Pixels


def stains(method: str, pixels: Pixels) -> tuple[Floats, NDArray[np.bool_]]:
    """Values of each image in the layout of `separation` and `reinhard`.

    Parameters
    ----------
    method
        "macenko", "vahadane" or "reinhard".
    pixels
        (n, P, 3) uint8.

    Returns
    -------
    values
        (n, 2, 3) float32.
    found
        (n,) bool.
    """
    values, found = np.ones((len(pixels), 2, 3), np.float32), np.zeros(len(pixels), bool)
    for index, image in enumerate(pixels):
        value = _one(method, image[None].copy())  # (1, P, 3): an image of one row
        if value is not None and np.isfinite(value).all() and (np.linalg.norm(value, axis=1) > 0).all():
            values[index], found[index] = value, True
    return values, found


def transform(method: str, pixels: Pixels, source: Floats, target: Floats) -> Pixels:
    """Bring each image to the target's values.

    Parameters
    ----------
    method
        "macenko", "vahadane" or "reinhard".
    pixels
        (n, P, 3) uint8.
    source
        (n, 2, 3) or (1, 2, 3).
    target
        (2, 3).

    Returns
    -------
    (n, P, 3) uint8.
    """
    every = np.broadcast_to(source, (len(pixels), 2, 3)).astype(np.float64)
    paint = _paint_lab if method == "reinhard" else _paint_stains
    return np.stack([paint(image[None].copy(), value, target) for image, value in zip(pixels, every, strict=True)])


def check_installed() -> None:
    """Raise an InputError that says how to install staintools where it is not there."""
    _staintools()


def _staintools() -> Any:
    try:
        import staintools
        import staintools.miscellaneous.get_concentrations
        import staintools.stain_extraction.macenko_stain_extractor
        import staintools.stain_extraction.vahadane_stain_extractor
    except ImportError as error:
        raise InputError(
            f"stain normalisation by staintools was asked for, but it is not installed ({error})",
            hint="use backend 'ours', or pip install spams-bin opencv-python-headless, then staintools with --no-deps",
        ) from error
    return staintools


def _one(method: str, image: Pixels) -> NDArray[np.float64] | None:
    tools = _staintools()
    if method == "reinhard":
        return np.array(tools.ReinhardColorNormalizer().get_mean_std(image), np.float64).reshape(2, 3)
    extractor = {
        "macenko": tools.stain_extraction.macenko_stain_extractor.MacenkoStainExtractor,
        "vahadane": tools.stain_extraction.vahadane_stain_extractor.VahadaneStainExtractor,
    }[method]
    try:
        matrix = np.asarray(extractor.get_stain_matrix(image.copy()), np.float64)
        codes = tools.miscellaneous.get_concentrations.get_concentrations(image, matrix)
    except Exception:  # staintools' own exception for white images, and numpy's for degenerate ones
        return None
    return np.asarray(matrix * np.percentile(codes, 99, axis=0)[:, None])


def _paint_stains(image: Pixels, source: NDArray[np.float64], target: Floats) -> Pixels:
    strength = np.linalg.norm(source, axis=1, keepdims=True)
    codes = _staintools().miscellaneous.get_concentrations.get_concentrations(image, source / strength)
    painted = 255 * np.exp(-codes @ (target / strength))
    return np.asarray(np.clip(painted, 0, 255), np.uint8)


def _paint_lab(image: Pixels, source: NDArray[np.float64], target: Floats) -> Pixels:
    normalizer = _staintools().ReinhardColorNormalizer()
    channels = normalizer.lab_split(image)
    scale = target[1] / source[1]
    moved = [(channel - source[0, k]) * scale[k] + target[0, k] for k, channel in enumerate(channels)]
    painted: Pixels = normalizer.merge_back(*[m.astype(np.float32) for m in moved])[0]
    return painted
