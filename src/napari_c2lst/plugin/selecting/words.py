"""What the panel "Spots" says of a choice: how many spots it has, and what is to be done next. Needs no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_c2lst.slides.genes.panel import MIN_TRAINING_SPOTS

from .named import counted

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

    from .choice import Choice


def counted_on(slide: Slide | None, choice: Choice) -> str:
    """How many spots of a slide are chosen, held out and left out."""
    if slide is None:
        return "No slide is open."
    return counted(choice) if slide.spots is not None else f"{slide.name} is an image without spots."


def advice_on(slide: Slide | None, choice: Choice) -> str:
    """What to do next; empty when a model can be trained and scored."""
    chosen = int(choice.mask.sum())
    if len(choice.mask) == 0:
        return "Open a slide with spots first: Plugins > C2L-ST > Open slide..." if slide is None else ""
    if chosen == 0:
        return "Draw around spots with a tool, or choose a share below."
    if chosen < MIN_TRAINING_SPOTS:
        return f"At least {MIN_TRAINING_SPOTS} spots are needed to train."
    return "" if choice.held_out.any() else "No spot is held out: a model could not be scored on this slide."
