"""Save what was made by hand into the slide's store: all of it or nothing, and nothing is replaced unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.plugin.guide.standing import SAVED_VIEW

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

    from .view import SavedView


@dataclass(frozen=True)
class Plan:
    """What saving would do.

    Attributes
    ----------
    new
        Sets that the store does not have.
    changed
        Sets that the store has with other spots: they would be replaced, which must be agreed to.
    same
        Names of sets that are stored as they are.
    """

    new: tuple[SpotSet, ...]
    changed: tuple[SpotSet, ...]
    same: tuple[str, ...]

    @property
    def question(self) -> str:
        """What to ask before sets are replaced; empty when nothing is."""
        names = ", ".join(f"'{each.name}'" for each in self.changed)
        return f"The slide already holds other spots under {names}. Replace them?" if names else ""

    @property
    def words(self) -> str:
        """What is not saved yet, in a few words."""
        parts = [f"new: {', '.join(each.name for each in self.new)}"] if self.new else []
        parts += [f"changed: {', '.join(each.name for each in self.changed)}"] if self.changed else []
        return "; ".join(parts) or "all spot sets are saved"


def plan_of(session: Session) -> Plan:
    """Compare the session's sets with those of the store.

    Raises
    ------
    InputError
        If no slide is open, or it is no SpatialData store.
    """
    slide = session.require_slide()
    if not slide.is_zarr:
        raise InputError(
            f"slide '{slide.name}' is not a SpatialData store: nothing can be saved into it",
            "save it as one: Keep > Save a copy as...",
        )
    stored = _stored_sets(slide)
    new = tuple(spots for name, spots in session.sets.items() if name not in stored)
    changed = tuple(each for name, each in session.sets.items() if name in stored and not _same(each, stored[name]))
    known = {each.name for each in (*new, *changed)}
    return Plan(new, changed, tuple(name for name in session.sets if name not in known))


def save(slide: Slide, plan: Plan, view: SavedView | None, *, replace: bool = False) -> list[str]:
    """Write sets and view into the store, in one go: all of them, or the store stays what it was.

    Returns
    -------
    list of str
        Names of the tables that were written.

    Raises
    ------
    InputError
        If a stored set would be replaced and `replace` is False, a name cannot be one, or the disk is full.
    """
    from napari_c2lst.slides.spots.spotsets import PREFIX, checked_set_table
    from napari_c2lst.slides.store.results import write_elements

    from .view import view_table

    if plan.changed and not replace:
        raise InputError(plan.question, "agree to replace them, or give your sets other names")
    problems: list[InputError] = []
    tables = {}
    for spots in (*plan.new, *plan.changed):
        try:
            tables[PREFIX + spots.name] = checked_set_table(slide, spots)
        except InputError as problem:
            problems.append(problem)
    raise_all(problems)
    if view is not None:
        tables[SAVED_VIEW] = view_table(view)
    write_elements(slide, tables=tables)
    return list(tables)


def _same(one: SpotSet, other: SpotSet | None) -> bool:
    return other is not None and one.same_as(other)


def _stored_sets(slide: Slide) -> dict[str, SpotSet | None]:
    """The sets of the store; None for one that cannot be read, which is as good as another one of that name."""
    from napari_c2lst.slides.spots.spotsets import read_spot_set, spot_set_names

    found: dict[str, SpotSet | None] = {}
    for name in spot_set_names(slide) if slide.spots is not None else ():
        try:
            found[name] = read_spot_set(slide, name)
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            found[name] = None
    return found
