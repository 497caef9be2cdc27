"""Small pictures of what a model draws, written while it learns."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file


def contact_sheet(patches: NDArray[np.uint8], columns: int, *, gap: int = 2, zoom: int = 1) -> NDArray[np.uint8]:
    """Patches (N, px, px, 3) side by side, `columns` a row, on white; `zoom` repeats pixels."""
    n, px = patches.shape[:2]
    rows = -(-n // columns)
    sheet = np.full((rows * (px + gap) - gap, columns * (px + gap) - gap, 3), 255, np.uint8)
    for i, patch in enumerate(patches):
        top, left = (i // columns) * (px + gap), (i % columns) * (px + gap)
        sheet[top : top + px, left : left + px] = patch
    return sheet.repeat(zoom, 0).repeat(zoom, 1)


def write_sheet(patches: NDArray[np.uint8], path: Path, *, columns: int, zoom: int = 2) -> None:
    """Write a contact sheet as PNG, whole or not at all."""
    from PIL import Image

    with atomic_file(path) as temporary:
        Image.fromarray(contact_sheet(patches, columns, zoom=zoom)).save(temporary, format="PNG")
