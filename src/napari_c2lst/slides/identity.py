"""Content hashes that tell a slide, its training spots and its genes, whatever they are called."""

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import content_hash
from napari_c2lst.slides.genes.panel import GenePanel

from .slide import Spots


def spots_hash(spots: Spots) -> str:
    """Content hash of all spots of a slide, names and places, whatever their order.

    Places too, to the pixel: an array has the same barcodes on every slide.
    """
    places = np.rint(spots.yx).astype(np.int64).tolist()
    return _lines_hash(sorted(f"{name} {y} {x}" for name, (y, x) in zip(spots.ids.tolist(), places, strict=True)))


def training_basis(spots: Spots, training: NDArray[np.bool_], panel: GenePanel) -> dict[str, str]:
    """What a model of a slide is made from, as a run keeps it: name of the thing -> content hash.

    Parameters
    ----------
    training
        (N,) the training spots.
    panel
        Its genes and its scale count; mean and standard deviation follow from the spots, and their last digits depend
        on the machine.
    """
    return {
        "slide": spots_hash(spots),
        "training spots": _lines_hash(sorted(spots.ids[training].tolist())),
        "genes or their scale": _lines_hash([*panel.genes, f"{panel.median_total:.6g}"]),
    }


def _lines_hash(lines: list[str]) -> str:
    return content_hash(f"{line}\n".encode() for line in lines)
