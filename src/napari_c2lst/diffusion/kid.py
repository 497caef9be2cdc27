"""Kernel inception distance between two sets of patches, with features that need no download, or a model at hand.

KID is the squared maximum mean discrepancy with the kernel (x.y / d + 1)^3 (Binkowski et al. 2018), here over features
that are named with every figure: figures of different features cannot be compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.common.seeds import rng

COLOUR = "colour-texture-42"
_BATCH = 32

Patches = NDArray[np.uint8]
Features = NDArray[np.float64]


@dataclass(frozen=True)
class Extractor:
    """Features of patches.

    Attributes
    ----------
    name
        Told with every KID.
    features
        (N, H, W, 3) uint8 -> (N, d).
    """

    name: str
    features: Callable[[Patches], Features]


def load_extractor(source: str = COLOUR) -> Extractor:
    """The features of a name, or of a model's folder on this machine.

    Parameters
    ----------
    source
        'colour-texture-42' (`slides.patches.features`), or a folder that `transformers` can load (config.json and
        safetensors), such as a copy of DINOv2 or ResNet-50.

    Raises
    ------
    InputError
        If there is no such model here; nothing is downloaded.
    """
    if source == COLOUR:
        from napari_c2lst.slides.patches.features import colour_features

        return Extractor(COLOUR, lambda patches: colour_features(patches).astype(np.float64))
    folder = Path(source)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"'{source}' is no model for features: it has no config.json",
            f"give '{COLOUR}', or a folder with config.json and model.safetensors",
        )
    try:
        features = _of_transformers(folder)
        features(np.zeros((1, 32, 32, 3), np.uint8))  # a model of texts is found out now, not at the first KID
    except Exception as error:
        raise InputError(
            f"'{source}' cannot be read as a model of pictures: {first_line(error)}", "copy it again, or choose another"
        ) from error
    return Extractor(folder.name, features)


def kid(real: Features, other: Features) -> float:
    """Unbiased estimate of the squared MMD of two sets of features, standardised by the first.

    Parameters
    ----------
    real, other
        (N, d) and (M, d), at least two rows each.

    Returns
    -------
    float
        0 in the mean for two samples of the same distribution, and then as often below 0 as above.
    """
    scale = real.std(axis=0)
    scale[scale == 0] = 1
    x, y = ((f - real.mean(axis=0)) / scale for f in (real, other))
    n, m = len(x), len(y)
    xx, yy, xy = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def kid_spread(real: Features, other: Features, *, subsets: int = 20, size: int = 250, seed: int = 0) -> float:
    """Standard deviation of KID over random subsets of `size` rows of each set, at most half of it."""
    draw = rng(seed, "kid")
    n, m = (max(2, min(size, len(rows) // 2)) for rows in (real, other))
    values = [
        kid(real[draw.choice(len(real), n, replace=False)], other[draw.choice(len(other), m, replace=False)])
        for _ in range(subsets)
    ]
    return float(np.std(values))


def _kernel(x: Features, y: Features) -> Features:
    product: Features = (x @ y.T / x.shape[1] + 1) ** 3
    return product


def _of_transformers(folder: Path) -> Callable[[Patches], Features]:
    import torch
    from transformers import AutoModel

    model: Any = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    @torch.inference_mode()
    def features(patches: Patches) -> Features:
        out = []
        for start in range(0, len(patches), _BATCH):
            pixels = torch.from_numpy(patches[start : start + _BATCH].copy()).permute(0, 3, 1, 2).float() / 255
            pixels = torch.nn.functional.interpolate((pixels - mean) / std, size=224, mode="bilinear", antialias=True)
            pooled = model(pixels).pooler_output.flatten(1)
            out.append(pooled.double().numpy())
        return np.concatenate(out)

    return features
