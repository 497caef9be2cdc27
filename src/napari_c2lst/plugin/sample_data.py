"""Sample data in napari's File > Open Sample menu."""

from __future__ import annotations

from typing import Any

from .reading import layers_of, viewer_at_work


def her2st_b4() -> list[Any]:
    """her2st B4: HER2-positive breast cancer, 283 spots (Andersson et al. 2021, CC BY 4.0); made on first use."""
    viewer = viewer_at_work()
    if viewer is not None:
        from .opening import opener_of
        from .shared import shared_of

        opener_of(shared_of(viewer)).open_sample()
        return []
    from napari_c2lst.slides.sample_data import sample_slide_path

    return list(layers_of(sample_slide_path()))
