"""Separation of two stains in optical density: Macenko's and Vahadane's stain colours, and recolouring with them.

Everything works on a batch at once: `pixels` is (n, P, 3), n images of P pixels each. Stains of an image are (2, 3):
haematoxylin, then eosin, each the unit optical density of the stain times the 99th percentile of its concentration:
the two rows are the colours of densely stained tissue.

Sources: Macenko et al., ISBI 2009; Vahadane et al., IEEE TMI 2016.
"""

import numpy as np
from numpy.typing import NDArray

from .colour import Floats, Pixels, optical_density, stained
from .learning import learned_atoms, unmixing

ANGLE = 0.99  # Macenko: share of the pixels between the two stains, each side
DENSE = 0.99  # the concentration that is matched between two images
RECOLOUR_SPARSITY = 0.01  # weight of the l1 term when concentrations are measured
LEAST_CONCENTRATION = 0.05  # a stain that is absent is not blown up to full strength
PARALLEL = 0.9999  # cosine of two stains that cannot be told apart
LEARN_PIXELS = 1 << 14
_PAINT_PIXELS = 1 << 14  # at a time: what the caches hold
USUAL = np.array(
    [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], np.float32
)  # haematoxylin and eosin, Ruifrok & Johnston 2001


def macenko_stains(pixels: Pixels) -> tuple[Floats, NDArray[np.bool_]]:
    """Stain colours from the extreme angles in the plane of greatest variance.

    Parameters
    ----------
    pixels
        (n, P, 3) uint8.

    Returns
    -------
    stains
        (n, 2, 3) float32; the usual haematoxylin and eosin where they could not be found.
    found
        (n,) bool.
    """
    density, mask = optical_density(pixels), stained(pixels)
    count = mask.sum(axis=1)
    plane = _principal_plane(density, mask, count)  # (n, 3, 2)
    projected = density @ plane
    angle = np.arctan2(projected[..., 1], projected[..., 0])
    angle[~mask] = np.inf
    angle.sort(axis=1)
    ends = np.stack([_quantile(angle, 1 - ANGLE, count), _quantile(angle, ANGLE, count)], axis=1)  # (n, 2)
    stains = np.einsum("nck,nsk->nsc", plane, np.stack([np.cos(ends), np.sin(ends)], axis=-1))
    return _with_strength(density, _haematoxylin_first(stains), count > 1)


def vahadane_stains(pixels: Pixels) -> tuple[Floats, NDArray[np.bool_]]:
    """Stain colours as a non-negative dictionary of two atoms with sparse codes, from the usual stains on.

    Parameters
    ----------
    pixels
        (n, P, 3) uint8.

    Returns
    -------
    stains
        (n, 2, 3) float32; the usual haematoxylin and eosin where they could not be found.
    found
        (n,) bool.
    """
    density, mask = optical_density(pixels), stained(pixels)
    step = max(1, -(-pixels.shape[1] // LEARN_PIXELS))
    planes = np.ascontiguousarray(density[:, ::step].swapaxes(1, 2))  # (n, 3, P)
    planes *= mask[:, None, ::step]  # a zero pixel has a zero code: it does not count
    atoms = learned_atoms(planes, np.broadcast_to(_unit(USUAL), (len(pixels), 2, 3)))
    return _with_strength(density, _haematoxylin_first(atoms), mask.sum(axis=1) > 1)


def concentrations(density: Floats, stains: Floats, sparsity: float = RECOLOUR_SPARSITY) -> Floats:
    """Non-negative sparse concentrations: argmin_c |x - c S|^2 / 2 + sparsity * sum(c), c >= 0, exactly.

    With two stains the minimum has a closed form: where one would be negative it is 0 and the other stands alone.

    Parameters
    ----------
    density
        (n, P, 3) optical densities.
    stains
        (n, 2, 3) or (1, 2, 3) unit rows.

    Returns
    -------
    (n, P, 2) float32.
    """
    along = density @ stains.swapaxes(-1, -2)
    along -= sparsity
    cosine = np.einsum("nc,nc->n", stains[:, 0], stains[:, 1])[:, None]
    share = 1 / np.maximum(1 - cosine**2, 1e-6)
    first, second = along[..., 0], along[..., 1]
    both = np.empty_like(along)
    np.minimum(first, (first - cosine * second) * share, out=both[..., 0])
    np.minimum(second, (second - cosine * first) * share, out=both[..., 1])
    return np.maximum(both, 0, out=both)


def recolour(pixels: Pixels, source: Floats, target: Floats) -> Pixels:
    """The same concentrations, in the target's stains and strength.

    Parameters
    ----------
    pixels
        (n, P, 3) uint8.
    source
        (n, 2, 3) or (1, 2, 3): stains of each image, or of all.
    target
        (2, 3) stains of the reference.

    Returns
    -------
    (n, P, 3) uint8.
    """
    strength = np.linalg.norm(source, axis=-1, keepdims=True)
    unit = np.asarray(source / strength, np.float32)
    inverse = unmixing(unit)
    paint = np.asarray((-target / strength).swapaxes(1, 2), np.float32)  # (n, 3, 2)
    painted = np.empty(pixels.shape, np.uint8)
    # images with the same stains are one long image: small ones are then painted several at a time
    images, out = (a.reshape(1, -1, 3) if len(unit) == 1 else a for a in (pixels, painted))
    for index, image in enumerate(images):
        for start in range(0, len(image), _PAINT_PIXELS):
            some = slice(start, start + _PAINT_PIXELS)
            _paint(image[some], unit[index], inverse[index], paint[index], out[index, some])
    return painted


def _paint(pixels: Pixels, unit: Floats, inverse: Floats, paint: Floats, out: Pixels) -> None:
    """`recolour` of some pixels (P, 3) of one image into `out`, as planes: four times as fast as pixel by pixel."""
    along = unit @ optical_density(pixels.T)
    along -= np.float32(RECOLOUR_SPARSITY)
    codes = inverse @ along  # as in `concentrations`
    np.minimum(codes, along, out=codes)
    np.maximum(codes, 0, out=codes)
    planes = paint @ codes
    np.exp(planes, out=planes)
    planes *= 255
    planes += np.float32(0.5)
    np.minimum(planes, 255, out=planes)
    for channel, plane in enumerate(planes):
        out[:, channel] = plane


def _principal_plane(density: Floats, mask: NDArray[np.bool_], count: NDArray[np.int_]) -> Floats:
    weight = mask[..., None].astype(np.float32)
    kept = density * weight
    mean = kept.sum(axis=1, dtype=np.float64) / np.maximum(count, 1)[:, None]
    centred = (density - mean[:, None].astype(np.float32)) * weight
    covariance = (centred.swapaxes(1, 2) @ centred).astype(np.float64) / np.maximum(count - 1, 1)[:, None, None]
    plane = np.linalg.eigh(covariance)[1][:, :, [2, 1]]
    plane *= np.where(plane[:, :1] < 0, -1, 1)
    return plane.astype(np.float32)


def _quantile(rows: Floats, share: float, count: NDArray[np.int_]) -> Floats:
    """Quantile of the first `count` values of sorted rows, linear between neighbours; 0 of an empty row."""
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    index = np.arange(len(rows))
    below, above = rows[index, low], rows[index, high]
    empty = count == 0
    below, above = np.where(empty, 0, below), np.where(empty, 0, above)
    return (below + (above - below) * (place - low)).astype(np.float32)


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), np.float32)


def _haematoxylin_first(stains: Floats) -> Floats:
    """Haematoxylin absorbs more red than eosin does."""
    swap = stains[:, 0, 0] < stains[:, 1, 0]
    return np.where(swap[:, None, None], stains[:, ::-1], stains)


def _with_strength(density: Floats, stains: Floats, enough: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    length = np.linalg.norm(stains, axis=-1)
    unit = _unit(stains)
    cosine = np.abs(np.einsum("nc,nc->n", unit[:, 0], unit[:, 1]))
    found = enough & (length > 0.1).all(axis=1) & (cosine < PARALLEL)
    unit = np.where(found[:, None, None], unit, _unit(USUAL))
    codes = np.ascontiguousarray(concentrations(density, unit).swapaxes(1, 2)).reshape(-1, density.shape[1])
    everything = np.full(len(codes), codes.shape[1])
    place = int(DENSE * max(codes.shape[1] - 1, 0))
    codes.partition((place, min(place + 1, codes.shape[1] - 1)), axis=1)  # as sorted where the quantile looks
    dense = _quantile(codes, DENSE, everything).reshape(-1, 2)
    return unit * np.maximum(dense, LEAST_CONCENTRATION)[..., None], found
