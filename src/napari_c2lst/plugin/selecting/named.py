"""Named sets of the open slide: their colours, which of them are stored, and what a choice becomes. Needs no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.choices import SET_COLOURS
from napari_c2lst.slides.genes.panel import refuse_few_spots
from napari_c2lst.slides.spots.spotsets import SpotSet, checked_name

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.slide import Slide

    from .choice import Choice

COLOUR = "colour"
"""What `SpotSet.how` calls the colour of a set."""

COLOUR_NAMES = {
    "#0072b2": "blue",
    "#d55e00": "vermilion",
    "#009e73": "green",
    "#cc79a7": "pink",
    "#56b4e9": "sky blue",
    "#e69f00": "orange",
}


@dataclass(frozen=True)
class SetLine:
    """What a list says about a set.

    Attributes
    ----------
    name, colour
        Of the set; the colour as "#rrggbb".
    spots, share
        How many spots it chooses, and of all.
    held_out, left_out
        How many it holds out, and leaves out.
    stored
        Whether the slide's store holds it as it is.
    saving
        Whether it is being written into the store just now.
    """

    name: str
    colour: str
    spots: int
    share: float
    held_out: int
    left_out: int
    stored: bool
    saving: bool = False

    @property
    def kept(self) -> str:
        """In a word whether it is in the slide."""
        return "saving …" if self.saving else "saved" if self.stored else "not saved"

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        kept = "being saved" if self.saving else "saved in the slide" if self.stored else "not saved yet"
        return (
            f"{self.name}: {self.spots} spots ({100 * self.share:.1f} %), {self.held_out} held out, "
            f"{self.left_out} left out, {kept}"
        )


def colours_of(sets: Mapping[str, SpotSet]) -> dict[str, str]:
    """The colour of each set: its own, else the first of the palette that is free."""
    said = {name: str(each.how.get(COLOUR, "")).lower() for name, each in sets.items()}
    own = {name: colour for name, colour in said.items() if colour in COLOUR_NAMES}
    taken = list(own.values())
    colours = {}
    for name in sets:
        if name not in own:
            taken.append(next_colour(taken))
        colours[name] = own.get(name) or taken[-1]
    return colours


def next_colour(taken: Iterable[str]) -> str:
    """The colour of the palette that is taken least often."""
    counts = dict.fromkeys(SET_COLOURS, 0)
    for colour in taken:
        if colour in counts:
            counts[colour] += 1
    return min(counts, key=lambda colour: counts[colour])


def set_lines(session: Session) -> list[SetLine]:
    """What to say about every set."""
    colours = colours_of(session.sets)
    return [
        SetLine(
            name,
            colours[name],
            int(each.mask.sum()),
            float(each.mask.mean()) if len(each.mask) else 0.0,
            int(each.held_out.sum()),
            int(each.left_out.sum()),
            name != session.saving and is_stored(session.slide, each),
            name == session.saving,
        )
        for name, each in session.sets.items()
    ]


def is_stored(slide: Slide | None, spots: SpotSet) -> bool:
    """Whether the slide's store holds exactly this set."""
    from napari_c2lst.slides.spots.spotsets import read_spot_set, spot_set_names

    if slide is None or not slide.is_zarr or slide.sdata is None or spots.name not in spot_set_names(slide):
        return False
    try:
        return spots.same_as(read_spot_set(slide, spots.name))
    except InputError:
        return False


def set_of(choice: Choice, slide: Slide, name: str, colour: str) -> SpotSet:
    """The chosen spots as a set.

    Raises
    ------
    InputError
        If the name cannot be one, or fewer than 8 spots are chosen.
    """
    checked_name(name)
    refuse_few_spots(int(choice.mask.sum()), "the choice")
    how = {**choice.said(), COLOUR: colour}
    return SpotSet.of(name, slide.require_spots().ids, choice.mask, how, choice.left_out)


def free_name(taken: Iterable[str], first: str = "train") -> str:
    """'train', or 'train-2' where that is taken, and so on."""
    names = set(taken)
    if first not in names:
        return first
    number = 2
    while f"{first}-{number}" in names:
        number += 1
    return f"{first}-{number}"


def counted(choice: Choice) -> str:
    """'71 of 283 spots (25.1 %): 199 held out, 13 left out'."""
    total, chosen = len(choice.mask), int(choice.mask.sum())
    if total == 0:
        return "No spots to choose from."
    share = f"{100 * chosen / total:.1f} %"
    held, left = int(choice.held_out.sum()), int(choice.left_out.sum())
    return f"{chosen:,} of {total:,} spots ({share}), {held:,} held out" + (f", {left:,} left out" if left else "")
