"""What is open in one viewer, and what changed: what all panels share. Knows neither Qt nor napari's layers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

Mask = NDArray[np.bool_]


class Session:
    """The open slide, its spot sets, the spots that are chosen now and the gene that is shown.

    Panels read and set; they hear of each other's changes through the signals, never by calling each other.

    Attributes
    ----------
    slide
        The open slide; None before one is opened.
    opening
        How it was opened, as `open_slide` and the tasks' settings take it (mpp, image, coordinate_system, ...).
    sets
        The slide's named spot sets by name, stored or not yet stored.
    chosen
        (N,) the spots that are chosen in the viewer now.
    gene
        The gene shown on the spots and maps; empty for none.
    looked_at
        Names of the predictions of which a map was shown since the slide was opened.
    unseen
        Names of those that were made since then and of which none was shown yet.
    saving
        Name of the set that is being written into the slide just now; empty for none.
    """

    slide_changed = Signal()
    sets_changed = Signal()
    chosen_changed = Signal()
    gene_changed = Signal(str)
    results_changed = Signal()  # the store or the runs folder holds something new: predictions, models, scores
    map_seen = Signal()  # a map of predictions that had not been looked at yet is shown
    spot_clicked = Signal(int)  # index of a spot; -1 for tissue without one
    told = Signal(str, str, str)  # level ("info", "warning" or "error"), message, hint

    def __init__(self) -> None:
        self.slide: Slide | None = None
        self.opening: dict[str, Any] = {}
        self.sets: dict[str, SpotSet] = {}
        self.chosen: Mask = np.zeros(0, dtype=bool)
        self.gene = ""
        self.looked_at: set[str] = set()
        self.unseen: set[str] = set()
        self.saving = ""
        self._unsaved: dict[Path, dict[str, SpotSet]] = {}  # of slides that are not open now

    def open(self, slide: Slide, opening: Mapping[str, Any] | None = None) -> None:
        """Make a slide the open one; its stored spot sets come along. One that cannot be read is told, and left out.

        Sets that were made of this slide earlier and are not stored come back too: they last as long as the viewer.
        """
        stored, problems = _stored_sets(slide)
        self._keep_unsaved()
        waiting = self._unsaved.pop(slide.path, {})
        stored.update({name: each for name, each in waiting.items() if name not in stored and _is_of(each, slide)})
        self.slide = slide
        self.opening = {name: value for name, value in (opening or {}).items() if value is not None}
        self.sets = stored
        self.chosen = np.zeros(0 if slide.spots is None else len(slide.spots), dtype=bool)
        self.gene, self.looked_at, self.unseen = "", set(), set()
        self.slide_changed.emit()
        self.sets_changed.emit()
        self.chosen_changed.emit()
        self.results_changed.emit()
        for problem in problems:
            self.tell("warning", problem.message, problem.hint)

    def refresh(self, slide: Slide) -> None:
        """Put the same slide, opened anew, in the place of the open one: its store holds something new.

        What is chosen, the gene and the sets that are not stored yet stay; stored sets are as the store has them.

        Parameters
        ----------
        slide
            The slide as it is now; if it has other spots than before, it is opened like a new one.
        """
        if self.slide is None or not _same_spots(self.slide, slide):
            self.open(slide, self.opening)
            return
        before = self.sets
        self.slide = slide
        stored, _ = _stored_sets(slide)  # what cannot be read was told when the slide was opened
        # a set that is as it was stays the same object: who listens need not draw it anew
        kept = {n: before[n] if n in before and before[n].same_as(new) else new for n, new in stored.items()}
        self.sets = {**before, **kept}
        if any(self.sets[name] is not before.get(name) for name in self.sets):
            self.sets_changed.emit()
        self.results_changed.emit()

    def close(self) -> None:
        """Forget the slide; its files stay as they are."""
        self._keep_unsaved()
        self.slide, self.opening, self.sets = None, {}, {}
        self.chosen, self.gene = np.zeros(0, dtype=bool), ""
        self.looked_at, self.unseen = set(), set()
        self.slide_changed.emit()
        self.sets_changed.emit()
        self.chosen_changed.emit()
        self.results_changed.emit()

    def require_slide(self) -> Slide:
        """The open slide.

        Raises
        ------
        InputError
            If none is open.
        """
        if self.slide is None:
            raise InputError("no slide is open", "open one first: Plugins > C2L-ST > Open slide...")
        return self.slide

    def choose(self, mask: Mask) -> None:
        """Set the spots that are chosen now, (N,)."""
        self.chosen = np.asarray(mask, dtype=bool)
        self.chosen_changed.emit()

    def show_gene(self, gene: str) -> None:
        """Set the gene that spots and maps show."""
        if gene != self.gene:
            self.gene = gene
            self.gene_changed.emit(gene)

    def note_predicted(self, name: str) -> None:
        """Predictions of this name were made, perhaps anew: nobody has looked at them yet."""
        self.looked_at.discard(name)
        self.unseen.add(name)

    def note_seen(self, name: str) -> None:
        """A map of the predictions of this name is shown."""
        if name not in self.looked_at:
            self.looked_at.add(name)
            self.unseen.discard(name)
            self.map_seen.emit()

    def tell(self, level: str, message: str, hint: str = "") -> None:
        """Say something to the user: in the panel and as napari's notification."""
        self.told.emit(level, message, hint)

    def _keep_unsaved(self) -> None:
        """Keep the sets of the open slide that its store does not hold, until it is opened again."""
        if self.slide is None:
            return
        stored, _ = _stored_sets(self.slide)
        unsaved = {name: each for name, each in self.sets.items() if name not in stored}
        if unsaved:
            self._unsaved[self.slide.path] = unsaved

    def unsaved_sets(self) -> dict[Path, list[str]]:
        """Names of the sets that last as long as the viewer, for each slide that has any; less what is being saved.

        A set of another slide is safe where the open one holds it: that is its copy.
        """
        stored = {} if self.slide is None else _stored_sets(self.slide)[0]
        made = dict(self._unsaved)
        if self.slide is not None:
            made[self.slide.path] = {name: each for name, each in self.sets.items() if name != self.saving}
        found = {
            path: sorted(name for name, each in sets.items() if name not in stored or not stored[name].same_as(each))
            for path, sets in made.items()
        }
        return {path: names for path, names in found.items() if names}

    @property
    def store(self) -> Path | None:
        """The SpatialData store that results go into; None while the slide is not one yet."""
        return self.slide.path if self.slide is not None and self.slide.is_zarr else None

    @property
    def runs_folder(self) -> Path | None:
        """Where this slide's runs (models, pairs, predictors, scores) are kept: beside its store."""
        if self.slide is None:
            return None
        from napari_c2lst.slides.store.results import store_name

        name = self.slide.path.name if self.slide.is_zarr else store_name(self.slide.path)
        return self.slide.path.absolute().parent / f"{Path(name).stem}_c2lst"


def _stored_sets(slide: Slide) -> tuple[dict[str, SpotSet], list[InputError]]:
    """The sets of a slide's store that can be read, and what is wrong with the others."""
    from napari_c2lst.slides.spots.spotsets import read_spot_set, spot_set_names

    found: dict[str, SpotSet] = {}
    problems: list[InputError] = []
    for name in spot_set_names(slide) if slide.spots is not None else ():
        try:
            found[name] = read_spot_set(slide, name)
        except InputError as error:
            problems.append(error)
        except (KeyError, TypeError, ValueError, AttributeError):
            what = f"the set '{name}' of slide '{slide.name}' is damaged and left out"
            problems.append(InputError(what, "choose its spots again and save them under that name"))
    return found, problems


def _is_of(spots: SpotSet, slide: Slide) -> bool:
    """Whether a set is one of this slide's spots."""
    there = slide.spots
    return there is not None and len(there) == len(spots.mask) and np.array_equal(spots.ids, there.ids[spots.mask])


def _same_spots(one: Slide, other: Slide) -> bool:
    if one.spots is None or other.spots is None:
        return one.spots is other.spots
    return np.array_equal(one.spots.ids, other.spots.ids)
