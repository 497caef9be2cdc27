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


SHARE = {"fraction": 0.5, "seed": 0, "split": "random"}


def test_thresholds_after_a_draw_make_it_another_one(choice: Choice) -> None:
    """The command would draw from the spots that are left: what was drawn before is no longer what it draws."""
    choice.apply(step(How.ADD, 0, 1, way="fraction", said=SHARE, low=mask()))
    assert choice.said() == SHARE
    choice.leave_low_out(mask(1), {"min_counts": 100})
    assert spots(choice.mask) == [0]
    assert choice.said() == {"min_counts": 100, "by_hand": ["add fraction"]}
    assert choice.only_said() == {}
    choice.undo()
    assert choice.only_said() == SHARE


def test_thresholds_that_go_after_a_draw_do_so_too(choice: Choice) -> None:
    choice.leave_low_out(mask(5), {"min_counts": 100})
    choice.apply(step(How.ADD, 0, 1, way="fraction", said=SHARE, low=mask(5)))
    assert choice.said() == {"min_counts": 100, **SHARE}
    choice.leave_low_out(mask(), {"min_counts": 0})
    assert "fraction" not in choice.said()


def test_thresholds_do_not_change_what_a_column_says(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, way="column label", said={"column": "label", "equals": ["Fat"]}))
    choice.leave_low_out(mask(1), {"min_counts": 100})
    assert choice.said() == {"min_counts": 100, "column": "label", "equals": ["Fat"]}


def test_new_thresholds_over_a_set_are_not_hidden_by_those_it_was_made_with(choice: Choice) -> None:
    choice.adopt(mask(0, 1, 2), said={"min_counts": 100, "polygon": "a.geojson"})
    assert choice.said() == {"min_counts": 100, "polygon": "a.geojson"}
    choice.leave_low_out(mask(2), {"min_counts": 500})
    assert choice.said()["min_counts"] == 500
    assert "polygon" not in choice.said()


def test_a_shape_of_a_file_that_was_moved_is_no_longer_the_files(choice: Choice) -> None:
    choice.apply(step(How.ADD, 0, 1, way="polygon", said={"polygon": "a.geojson"}, area=box(0, 0, 1, 1)))
    choice.change(0, with_area(choice.steps[0], box(5, 5, 6, 6), mask(3)))
    assert choice.said() == {"by_hand": ["add polygon"]}
    choice.undo()
    assert choice.said() == {"polygon": "a.geojson"}


def test_undo_and_redo_past_the_ends_change_and_tell_nothing(choice: Choice) -> None:
    told: list[None] = []
    choice.apply(step(How.ADD, 0))
    choice.changed.connect(lambda: told.append(None))
    choice.redo()
    choice.undo()
    choice.undo()
    choice.undo()
    assert len(told) == 1
    choice.redo()
    choice.redo()
    assert (len(told), spots(choice.mask)) == (2, [0])


def test_deleting_several_shapes_is_one_step_back(choice: Choice) -> None:
    for place in range(3):
        choice.apply(step(How.ADD, place, area=box(0, 0, 1, 1)))
    choice.remove([0, 2])
    assert spots(choice.mask) == [1]
    choice.undo()
    assert spots(choice.mask) == [0, 1, 2]
    choice.remove([])
    assert choice.can_redo  # nothing was removed: nothing happened


def test_untouched_is_what_has_nothing_to_lose(choice: Choice) -> None:
    assert choice.untouched
    choice.apply(step(How.LEAVE_OUT, 3))
    assert not choice.untouched
    choice.undo()
    choice.leave_low_out(mask(2), {"min_counts": 100})
    assert not choice.untouched


def test_the_first_shape_that_began_anew_may_go(choice: Choice) -> None:
    choice.apply(step(How.ADD, 5))
    choice.apply(step(How.NEW, 0, 1))
    choice.apply(step(How.ADD, 2))
    choice.change(0, None)
    assert spots(choice.mask) == [2]


def test_nothing_of_a_slide_without_spots() -> None:
    choice = Choice()
    choice.invert()
    choice.apply(Step(How.ADD, np.zeros(0, dtype=bool), "lasso"))
    assert choice.mask.shape == choice.held_out.shape == (0,)


def test_what_an_earlier_state_held_is_not_changed_by_later_steps(choice: Choice) -> None:
    given = mask(0, 1)
    choice.apply(Step(How.NEW, given, "set"))
    before = choice.mask
    choice.apply(step(How.SUBTRACT, 0))
    choice.invert()
    assert spots(before) == spots(given) == [0, 1]
