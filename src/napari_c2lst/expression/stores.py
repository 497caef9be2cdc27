"""Open the slide of a task as a store: where spot sets are kept and results go."""

from pathlib import Path

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.settings import SlideSettings
from napari_c2lst.slides.slide import Slide


def open_stored(settings: SlideSettings, reporter: Reporter) -> Slide:
    """Open a slide; an input that is no SpatialData store is converted first, or its earlier conversion is used.

    Raises
    ------
    InputError
        If it cannot be opened, or has no known size of a pixel.
    """
    from napari_c2lst.slides.opening import open_slide
    from napari_c2lst.slides.results import ensure_store

    store = ensure_store(
        settings.slide,
        reporter,
        image=settings.image,
        mpp=settings.mpp,
        image_name=settings.image_name,
        table=settings.table,
        coordinate_system=settings.coordinate_system,
        image_scale=settings.image_scale,
        square_um=settings.square_um,
    )
    converted = store != Path(settings.slide)  # the image given is inside the store then
    slide = open_slide(
        store,
        image=None if converted else settings.image,
        mpp=settings.mpp,
        image_name=settings.image_name,
        table=settings.table,
        coordinate_system=settings.coordinate_system,
        image_scale=None if converted else settings.image_scale,
        square_um=settings.square_um,
    )
    _ = slide.mpp  # refuse an unknown scale before any work
    return slide
