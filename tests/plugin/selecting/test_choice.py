from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from napari_c2lst.plugin.selecting.choice import Choice, How, Step, with_area


def mask(*spots: int) -> np.ndarray:
    out = np.zeros(6, dtype=bool)
    out[list(spots)] = True
    return out


def spots(chosen: np.ndarray) -> list[int]:
    return np.flatnonzero(chosen).tolist()


def step(how: How, *places: int, way: str = "lasso", **more: object) -> Step:
    return Step(how, mask(*places), way, **more)  # type: ignore[arg-type]


@pytest.fixture
def choice() -> Choice:
    return Choice(6)


@pytest.mark.parametrize(
    ("how", "chosen", "left_out"),
    [
        (How.NEW, [2, 3], []),
        (How.ADD, [0, 1, 2, 3], []),
        (How.SUBTRACT, [0, 1], []),
        (How.INTERSECT, [2], []),
        (How.LEAVE_OUT, [0, 1], [2, 3]),
        (How.INVERT, [3, 4, 5], []),
    ],
)
def test_what_a_step_does(choice: Choice, how: How, chosen: list[int], left_out: list[int]) -> None:
    choice.apply(step(How.ADD, 0, 1, 2))
    choice.apply(step(how, 2, 3))
    assert spots(choice.mask) == chosen
    assert spots(choice.left_out) == left_out
    assert not (choice.mask & choice.held_out).any()
    assert (choice.mask | choice.held_out | choice.left_out).all()


def test_preview_is_what_the_step_would_give(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, 2))
    for how in How:
        seen = choice.preview(step(how, 2, 3))
        choice.apply(step(how, 2, 3))
        assert np.array_equal(choice.mask, seen)
        choice.undo()


def test_inverting_keeps_what_is_left_out(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1))
    choice.apply(step(How.LEAVE_OUT, 5))
    choice.invert()
    assert spots(choice.mask) == [2, 3, 4]
    assert spots(choice.left_out) == [5]
    choice.invert()
    assert spots(choice.mask) == [0, 1]


def test_a_spot_that_is_added_is_no_longer_left_out(choice: Choice) -> None:
    choice.apply(step(How.LEAVE_OUT, 4, 5))
    choice.apply(step(How.ADD, 5))
    assert (spots(choice.mask), spots(choice.left_out)) == ([5], [4])


def test_undo_and_redo_walk_through_every_state(choice: Choice) -> None:
    states = [spots(choice.mask)]
    for how, places in ((How.ADD, (0, 1)), (How.SUBTRACT, (1,)), (How.ADD, (4, 5)), (How.NEW, (3,))):
        choice.apply(step(how, *places))
        states.append(spots(choice.mask))
    choice.clear()
    states.append(spots(choice.mask))
    back = []
    while choice.can_undo:
        back.append(spots(choice.mask))
        choice.undo()
    assert [*back, spots(choice.mask)] == states[::-1]
    forth = [spots(choice.mask)]
    while choice.can_redo:
        choice.redo()
        forth.append(spots(choice.mask))
    assert forth == states


def test_a_new_step_forgets_what_was_undone(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0))
    choice.apply(step(How.ADD, 1))
    choice.undo()
    choice.apply(step(How.ADD, 2))
    assert not choice.can_redo
    choice.redo()
    assert spots(choice.mask) == [0, 2]
    Choice(2).undo()  # nothing to take back: nothing happens


def test_again_takes_the_place_of_the_step_before(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, way="fraction"), again=True)
    choice.apply(step(How.ADD, 1, way="fraction"), again=True)
    assert spots(choice.mask) == [1]
    choice.apply(step(How.SUBTRACT, 1, way="fraction"), again=True)
    assert len(choice.steps) == 2
    choice.apply(step(How.ADD, 3), again=True)
    choice.apply(step(How.ADD, 4, way="fraction"), again=True)
    assert spots(choice.mask) == [3, 4]
    choice.undo()
    assert spots(choice.mask) == [3]


def test_a_shape_that_is_moved_or_deleted(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, area=box(0, 0, 1, 1)))
    choice.apply(step(How.SUBTRACT, 1, area=box(1, 1, 2, 2)))
    choice.change(1, with_area(choice.steps[1], box(0, 0, 3, 3), mask(0)))
    assert spots(choice.mask) == [1]
    assert choice.steps[1].area == box(0, 0, 3, 3)
    choice.change(1, None)
    assert spots(choice.mask) == [0, 1]
    choice.undo()
    choice.undo()
    assert spots(choice.mask) == [0]


def test_low_spots_are_never_chosen(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, 2))
    choice.leave_low_out(mask(2, 5), {"min_counts": 100})
    assert (spots(choice.mask), spots(choice.left_out)) == ([0, 1], [2, 5])
    choice.apply(step(How.ADD, 5))
    assert spots(choice.mask) == [0, 1]
    choice.leave_low_out(mask(2, 5), {"min_counts": 100})  # nothing new: no step
    choice.undo()
    choice.undo()
    assert spots(choice.mask) == [0, 1, 2]
    assert not choice.left_out.any()


def test_the_gap_of_a_blocked_split_is_left_out_and_may_be_taken(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, way="fraction", buffer=mask(2, 3)))
    assert spots(choice.left_out) == [2, 3]
    choice.apply(step(How.ADD, 3))
    assert (spots(choice.mask), spots(choice.left_out)) == ([0, 1, 3], [2])


def test_how_it_was_chosen_in_one_step_or_by_hand(choice: Choice) -> None:
    said = {"fraction": 0.25, "seed": 0, "split": "random"}
    choice.apply(step(How.ADD, 0, way="fraction", said=said))
    choice.leave_low_out(mask(5), {"min_counts": 100, "min_genes": 0})
    assert choice.said() == {"min_counts": 100, **said}
    choice.apply(step(How.ADD, 1))
    choice.apply(step(How.ADD, 2))
    choice.invert()
    assert choice.said() == {"min_counts": 100, "by_hand": ["add fraction", "add lasso (2 times)", "invert"]}


def test_adopting_a_set_can_be_undone(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0))
    choice.adopt(mask(3, 4), mask(5), said={"column": "label"})
    assert (spots(choice.mask), spots(choice.left_out), choice.said()) == ([3, 4], [5], {"column": "label"})
    choice.undo()
    assert (spots(choice.mask), spots(choice.left_out)) == ([0], [])


def test_another_slide_begins_anew_and_all_changes_are_told(choice: Choice) -> None:
    told = []
    choice.changed.connect(lambda: told.append(len(choice.mask)))
    choice.apply(step(How.ADD, 0))
    choice.undo()
    choice.redo()
    choice.clear()
    choice.clear()  # nothing to clear: nothing told
    choice.begin(2)
    assert told == [6, 6, 6, 6, 2]
    assert not choice.can_undo
    assert choice.steps == ()
