"""Open the slide of a task as a store: where spot sets are kept and results go."""

from napari_c2lst.common.reporter import OnceReporter, Reporter
from napari_c2lst.slides.settings import SlideSettings
from napari_c2lst.slides.slide import Slide


def open_stored(settings: SlideSettings, reporter: Reporter, *, scale: bool = True, spots: bool = False) -> Slide:
    """Open a slide; an input that is no SpatialData store is converted first, or its earlier conversion is used.

    Parameters
    ----------
    settings
        The task's, which name the slide.
    reporter
        Told where a converted slide lies.
    scale, spots
        Refuse a slide without known microns per pixel, or without spots, at once: before it is converted.

    Raises
    ------
    InputError
        If it cannot be opened, or lacks what is needed.
    """
    from napari_c2lst.slides.opening import open_slide

    from .results import ensure_store

    def check(slide: Slide) -> None:
        if spots:
            slide.require_spots()
        if scale:
            _ = slide.mpp

    reporter = OnceReporter(reporter)  # a slide that was converted just now has said its notes
    opening = settings.opening
    store = ensure_store(settings.slide, reporter, **opening, check=check)
    # a store that was made with these settings holds the image they named, and has element names of its own
    slide = open_slide(store, **(opening if store == settings.slide else {"mpp": settings.mpp}))
    for note in slide.notes:
        reporter.message(note)
    check(slide)
    return slide
