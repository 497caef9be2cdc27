"""The spots that are chosen now, made step by step, with undo and redo. Needs neither Qt nor napari."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon, Polygon

Mask = NDArray[np.bool_]


class How(StrEnum):
    """What a step does with the spots it is about."""

    NEW = "new"  # they alone are chosen
    ADD = "add"
    SUBTRACT = "subtract"
    INTERSECT = "intersect"
    LEAVE_OUT = "leave out"  # neither chosen nor held out
    INVERT = "invert"


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a choice.

    Attributes
    ----------
    how
        What happens to the spots.
    mask
        (N,) the spots it is about.
    way
        What chose them: "lasso", "rectangle", "brush", "fraction", "suggest", "column NAME", "polygon", "ids", "set".
    said
        How to choose them again, as the settings of `c2lst select` say it; empty for what was done by hand.
    area
        The shape that was drawn or read, (x, y) in level-0 pixels; None if there was none.
    buffer
        (N,) spots that the step itself leaves out (the gap of a blocked split); None for none.
    low
        (N,) spots that were too low when the step was made, where other ones would have led to other spots; None where
        they matter no further.
    """

    how: How
    mask: Mask
    way: str
    said: dict[str, Any] = field(default_factory=dict)
    area: Polygon | MultiPolygon | None = None
    buffer: Mask | None = None
    low: Mask | None = None


@dataclass(frozen=True, eq=False)
class State:
    """A choice at one moment.

    Attributes
    ----------
    steps
        What it was made of, from the last step on that began anew.
    low
        (N,) spots that are too low to be used.
    thresholds
        What made them low, as settings.
    mask, left_out
        (N,) the spots chosen, and those that are neither chosen nor held out.
    """

    steps: tuple[Step, ...]
    low: Mask
    thresholds: dict[str, float]
    mask: Mask
    left_out: Mask

    @classmethod
    def of(cls, steps: Sequence[Step], low: Mask, thresholds: dict[str, float] | None = None) -> State:
        """The state that these steps lead to."""
        begins = max((i for i, step in enumerate(steps) if step.how is How.NEW), default=0)
        kept = tuple(steps[begins:])
        mask, left_out = _fold(kept, len(low))
        return cls(kept, low, dict(thresholds or {}), mask & ~low, (left_out | low) & ~(mask & ~low))


class Choice:
    """The spots that are chosen now.

    Attributes
    ----------
    changed
        Signal: other spots are chosen, or other steps led to them.
    """

    changed = Signal()

    def __init__(self, number: int = 0) -> None:
        self._done: list[State] = []
        self._undone: list[State] = []
        self.state = State.of((), np.zeros(number, dtype=bool))

    def begin(self, number: int) -> None:
        """Forget everything: another slide with this many spots is open."""
        self._done, self._undone = [], []
        self.state = State.of((), np.zeros(number, dtype=bool))
        self.changed.emit()

    @property
    def mask(self) -> Mask:
        """(N,) the chosen spots."""
        return self.state.mask

    @property
    def left_out(self) -> Mask:
        """(N,) spots that are neither chosen nor held out."""
        return self.state.left_out

    @property
    def held_out(self) -> Mask:
        """(N,) the spots a model trained on the chosen ones is scored on."""
        return ~self.mask & ~self.left_out

    @property
    def steps(self) -> tuple[Step, ...]:
        """What the choice was made of."""
        return self.state.steps

    def apply(self, step: Step, *, again: bool = False) -> None:
        """Take a step.

        Parameters
        ----------
        again
            If the step before was made in the same way with the same effect, take this one in its place: another
            seed of a random share is another share, not one more.
        """
        steps = list(self.steps)
        if again and steps and (steps[-1].way, steps[-1].how) == (step.way, step.how):
            steps.pop()
        self._go_to(State.of([*steps, step], self.state.low, self.state.thresholds))

    def invert(self) -> None:
        """Choose what is held out, and hold out what is chosen; what is left out stays so."""
        self.apply(Step(How.INVERT, np.ones(len(self.mask), dtype=bool), "invert"))

    def clear(self) -> None:
        """Choose nothing; thresholds stay."""
        if self.steps:
            self._go_to(State.of((), self.state.low, self.state.thresholds))

    def change(self, place: int, step: Step | None) -> None:
        """Take another step in the place of one that was taken (a shape that was moved); None takes it back."""
        steps = list(self.steps)
        steps[place : place + 1] = [] if step is None else [step]
        self._go_to(State.of(steps, self.state.low, self.state.thresholds))

    def remove(self, places: Collection[int]) -> None:
        """Take steps back, wherever they stand, as one step (shapes that were deleted)."""
        if places:
            kept = [step for place, step in enumerate(self.steps) if place not in places]
            self._go_to(State.of(kept, self.state.low, self.state.thresholds))

    def leave_low_out(self, low: Mask, thresholds: dict[str, float]) -> None:
        """Never choose these spots, (N,); they are left out."""
        if not np.array_equal(low, self.state.low) or thresholds != self.state.thresholds:
            self._go_to(State.of(self.steps, np.asarray(low, dtype=bool), thresholds))

    def adopt(
        self, mask: Mask, left_out: Mask | None = None, way: str = "set", said: dict[str, Any] | None = None
    ) -> None:
        """Choose exactly these spots, (N,); thresholds go, since they are in what is left out."""
        none = np.zeros(len(mask), dtype=bool)
        step = Step(How.NEW, np.asarray(mask, dtype=bool), way, dict(said or {}), buffer=left_out, low=none)
        self._go_to(State.of([step], none))

    def undo(self) -> None:
        """Go one step back."""
        if self._done:
            self._undone.append(self.state)
            self.state = self._done.pop()
            self.changed.emit()

    def redo(self) -> None:
        """Take again what was undone last."""
        if self._undone:
            self._done.append(self.state)
            self.state = self._undone.pop()
            self.changed.emit()

    @property
    def untouched(self) -> bool:
        """Whether nothing is chosen, left out or too low now."""
        return not (self.mask.any() or self.left_out.any())

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._undone)

    def preview(self, step: Step) -> Mask:
        """(N,) what would be chosen after a step."""
        return State.of([*self.steps, step], self.state.low).mask

    def said(self) -> dict[str, Any]:
        """How the spots were chosen, JSON-able; what `SpotSet.how` keeps.

        A choice made in one step says how to make it again, in the words of `c2lst select`. One made by hand says in
        which steps.
        """
        thresholds = {name: value for name, value in self.state.thresholds.items() if value}
        said = self.only_said()
        if said:
            return {**thresholds, **said}
        return {**thresholds, "by_hand": _in_words(self.steps)}

    def only_step(self) -> Step | None:
        """The one step that makes the choice; None if there are several."""
        if len(self.steps) == 1 and self.steps[0].how in (How.NEW, How.ADD):
            return self.steps[0]
        return None

    def only_said(self) -> dict[str, Any]:
        """How to choose the same spots again in one step; empty where that cannot be said."""
        only = self.only_step()
        if only is None or (only.low is not None and not np.array_equal(only.low, self.state.low)):
            return {}
        return only.said

    def _go_to(self, state: State) -> None:
        self._done.append(self.state)
        self._undone.clear()
        self.state = state
        self.changed.emit()


def with_area(step: Step, area: Polygon | MultiPolygon, mask: Mask) -> Step:
    """The same step about another area: no longer what a file says."""
    return replace(step, area=area, mask=mask, said={})


def _fold(steps: Sequence[Step], number: int) -> tuple[Mask, Mask]:
    mask, left_out = np.zeros(number, dtype=bool), np.zeros(number, dtype=bool)
    for step in steps:
        mask, left_out = _after(step, mask, left_out)
        if step.buffer is not None:
            left_out = (left_out | step.buffer) & ~mask
    return mask, left_out


def _after(step: Step, mask: Mask, left_out: Mask) -> tuple[Mask, Mask]:
    match step.how:
        case How.NEW:
            return step.mask.copy(), np.zeros_like(mask)
        case How.ADD:
            return mask | step.mask, left_out & ~step.mask
        case How.SUBTRACT:
            return mask & ~step.mask, left_out
        case How.INTERSECT:
            return mask & step.mask, left_out
        case How.LEAVE_OUT:
            return mask & ~step.mask, left_out | step.mask
        case How.INVERT:
            return ~mask & ~left_out, left_out


def _in_words(steps: Sequence[Step]) -> list[str]:
    """'add lasso', 'subtract brush (3 times)'."""
    words: list[tuple[str, int]] = []
    for step in steps:
        text = step.way if step.how is How.INVERT else f"{step.how} {step.way}"
        if words and words[-1][0] == text:
            words[-1] = (text, words[-1][1] + 1)
        else:
            words.append((text, 1))
    return [text if times == 1 else f"{text} ({times} times)" for text, times in words]
