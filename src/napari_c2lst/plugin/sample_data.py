"""Sample data in napari's File > Open Sample menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAME = "c2lst://sample/her2st-b4.zarr"
"""What the manifest calls the slide; there is no such file.

Of a sample that is a function napari wants layers at once, and raises where there are none yet; one that has a name is
read by a reader, which may open it in a thread. It looks like an address since napari looks for files first; nothing is
fetched.
"""


def is_sample(path: str) -> bool:
    """Whether a path is no file but the name of the sample slide."""
    return path == NAME


def read_sample(_name: str | Sequence[str] = NAME) -> list[Any]:
    """Open the sample slide; as `reading.read_slide` does it, in a thread where a window is at work."""
    from .reading import NOTHING_YET, viewer_at_work

    viewer = viewer_at_work()
    if viewer is None:
        return her2st_b4()
    from .opening import opener_of
    from .shared import shared_of

    opener_of(shared_of(viewer)).open_sample()
    return NOTHING_YET


def her2st_b4() -> list[Any]:
    """her2st B4: HER2-positive breast cancer, 283 spots (Andersson et al. 2021, CC BY 4.0); made on first use."""
    from napari_c2lst.slides.sample_data import sample_slide_path

    from .reading import layers_of

    return list(layers_of(sample_slide_path()))
