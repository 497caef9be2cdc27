import numpy as np
import pytest
from tests.plugin.cells.stores import FACTS, NAMES

from napari_c2lst.plugin.cells.stored import UNTYPED
from napari_c2lst.plugin.cells.styles import SAFE, CellCodes, colours_of_types, palette_of


def test_every_number_means_one_thing() -> None:
    codes = CellCodes(4)
    used = [codes.fill, codes.outline, codes.density.ravel(), np.array([codes.picked])]
    numbers = np.concatenate(used)
    assert len(set(numbers.tolist())) == len(numbers)
    assert 0 not in numbers
    assert numbers.max() == codes.picked
    assert codes.dtype == np.uint8


def test_many_types_need_larger_numbers() -> None:
    assert CellCodes(31).dtype == np.uint8
    assert CellCodes(40).dtype == np.uint16


def test_hidden_types_are_transparent_and_others_keep_their_colours() -> None:
    codes = CellCodes(2)
    colours = codes.colours([(255, 0, 0), (0, 0, 255)], np.array([True, False]))
    assert colours.shape == (codes.picked + 1, 4)
    assert colours[0, 3] == 0
    assert colours[codes.outline[0]].tolist() == [1, 0, 0, 1]
    assert colours[codes.outline[1], 3] == 0
    assert (colours[codes.density[1], 3] == 0).all()
    assert (np.diff(colours[codes.density[0], 3]) > 0).all()


def test_outlines_leave_the_tissue_to_be_seen_and_fills_do_not() -> None:
    codes, shown = CellCodes(1), np.array([True])
    assert codes.colours([(1, 2, 3)], shown, "outline")[codes.fill[0], 3] < 0.2
    assert codes.colours([(1, 2, 3)], shown, "filled")[codes.fill[0], 3] > 0.8


def test_palettes() -> None:
    own = {"a": (1, 2, 3), "b": (4, 5, 6)}
    assert palette_of(("a", "b"), own, "safe") == list(SAFE[:2])
    assert palette_of(("a", "b"), own, "weights") == [(1, 2, 3), (4, 5, 6)]
    grey = palette_of(("a", UNTYPED), own, "safe")[1]
    assert grey == palette_of((UNTYPED,), own, "weights")[0]
    assert len(set(grey)) == 1
    assert len(set(SAFE)) == len(SAFE)


@pytest.mark.parametrize("types", [9, 20])
def test_more_types_than_safe_colours(types: int) -> None:
    assert len(palette_of([f"t{i}" for i in range(types)], {}, "safe")) == types


def test_a_type_keeps_its_colour_where_others_are_missing() -> None:
    """A small slide may hold no nucleus of the first type: the others must not be coloured otherwise for that."""
    whole = dict(zip(NAMES, colours_of_types(FACTS, NAMES, "safe"), strict=True))
    some = [NAMES[3], NAMES[1]]
    assert colours_of_types(FACTS, some, "safe") == [whole[name] for name in some]
    assert colours_of_types(FACTS, some, "weights") == [FACTS.type_colours[3], FACTS.type_colours[1]]


@pytest.mark.parametrize("palette", ["safe", "weights"])
def test_types_that_the_weights_do_not_know(palette: str) -> None:
    grey, other = colours_of_types(FACTS, [UNTYPED, "of another program"], palette)  # type: ignore[arg-type]
    assert len(set(grey)) == 1
    assert other in SAFE
    assert colours_of_types(FACTS, [], palette) == []  # type: ignore[arg-type]


def test_numbers_of_no_types() -> None:
    codes = CellCodes(0)
    assert codes.colours([], np.zeros(0, bool)).tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]
