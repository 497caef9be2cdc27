"""Open the slide that settings name."""

from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.settings import SlideSettings
from napari_c2lst.slides.slide import Slide


def open_named(settings: SlideSettings) -> Slide:
    """The slide, opened as the settings say; see `open_slide` for what it may raise."""
    return open_slide(
        settings.slide, **{name: getattr(settings, name) for name in SlideSettings.model_fields if name != "slide"}
    )
