"""Colour and texture of patches in a few plain numbers, for baselines and for choosing spots that differ."""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.slides.stain.colour import Floats, Pixels, optical_density

_CHUNK_PIXELS = 1 << 19
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CHANNELS = ("red", "green", "blue", "haematoxylin", "eosin")
_STATISTICS = ("mean", "std", "p05", "p25", "p50", "p75", "p95", "gradient")
# Unit optical densities of haematoxylin, eosin and what neither of them explains (Ruifrok & Johnston 2001).
_STAINS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
_UNMIX = np.linalg.inv(_STAINS / np.linalg.norm(_STAINS, axis=1, keepdims=True))[:, :2].astype(np.float32)

FEATURE_NAMES: Final = (
    *(f"{channel} {statistic}" for channel, statistic in product(_CHANNELS, _STATISTICS)),
    "haematoxylin share",
    "white share",
)
_NUCLEUS, _WHITE = 0.8, 0.15  # haematoxylin of a nucleus; optical density of glass and fat


def colour_features(patches: Pixels) -> NDArray[np.float32]:
    """42 statistics of each patch, named in `FEATURE_NAMES`.

    For R, G, B (0..1) and for haematoxylin and eosin in optical density: mean, standard deviation, percentiles 5, 25,
    50, 75, 95 and mean gradient; then the share of pixels dense in haematoxylin, and of white ones.

    Parameters
    ----------
    patches
        (N, H, W, 3) uint8.

    Returns
    -------
    (N, 42) float32, a pure function of each patch.
    """
    count, height, width = patches.shape[:3]
    out = np.empty((count, len(FEATURE_NAMES)), np.float32)
    step = max(1, _CHUNK_PIXELS // max(1, height * width))
    for start in range(0, count, step):
        out[start : start + step] = _features(patches[start : start + step])
    return out


def _features(patches: Pixels) -> Floats:
    density = optical_density(patches)
    stains = density @ _UNMIX
    channels = np.concatenate([patches.astype(np.float32) / 255, stains], axis=-1)  # (n, H, W, 5)
    flat = np.ascontiguousarray(channels.reshape(len(patches), -1, 5).swapaxes(1, 2))  # (n, 5, P)
    parts = [flat.mean(axis=2), flat.std(axis=2), *_percentiles(flat), _gradient(channels)]
    by_channel = np.stack(parts, axis=2).reshape(len(patches), -1)  # channel by channel
    nuclei = (stains[..., 0] > _NUCLEUS).mean(axis=(1, 2))
    white = (density.max(axis=-1) < _WHITE).mean(axis=(1, 2))
    return np.concatenate([by_channel, nuclei[:, None], white[:, None]], axis=1).astype(np.float32)


def _percentiles(flat: Floats) -> list[Floats]:
    """Nearest-rank percentiles over the last axis."""
    ranks = [round(share * (flat.shape[2] - 1)) for share in _SHARES]
    ordered = np.partition(flat, sorted(set(ranks)), axis=2)
    return [ordered[:, :, rank] for rank in ranks]


def _gradient(channels: Floats) -> Floats:
    """Mean absolute difference of neighbours, down and across, (n, 5)."""
    down = np.abs(np.diff(channels, axis=1)).mean(axis=(1, 2)) if channels.shape[1] > 1 else 0.0
    across = np.abs(np.diff(channels, axis=2)).mean(axis=(1, 2)) if channels.shape[2] > 1 else 0.0
    return np.asarray(np.zeros((len(channels), 5), np.float32) + (down + across) / 2, np.float32)
