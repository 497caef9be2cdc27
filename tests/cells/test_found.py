"""Nuclei as arrays: which a tile keeps, and that nothing is lost on the way to disk and back."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from tests.cells.maps import discs

from napari_c2lst.cells.found import Found, joined, load_found
from napari_c2lst.cells.postprocess import measure


def found_of(centres: list[tuple[int, int]], tile: int = 3, origin: tuple[int, int] = (0, 0)) -> Found:
    return Found.of(measure(discs((80, 80), centres, 5), None), tile, origin, 64)


def same(one: Found, other: Found) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Found))


def test_a_tile_keeps_what_lies_in_its_core_or_just_beside() -> None:
    found = found_of([(20, 20), (30, 60), (50, 65), (20, 72)])
    assert found.centroid.tolist() == [[20, 20], [60, 30], [65, 50]]
    assert found.own.tolist() == [True, True, False]
    assert found.rim.tolist() == [False, True, True]
    assert set(found.tile.tolist()) == {3}


def test_places_are_those_on_the_slide() -> None:
    here, there = found_of([(20, 30)]), found_of([(20, 30)], origin=(640, -8))
    np.testing.assert_array_equal(there.centroid, here.centroid + np.array([-8, 640]))
    np.testing.assert_array_equal(there.corners, here.corners + np.array([-8, 640]))
    assert there.own.all()


def test_halves_of_a_pixel_belong_to_one_tile_only() -> None:
    """A centroid between two pixels on the border of two cores is in exactly one of them."""
    labels = np.zeros((40, 80), np.int32)
    labels[10:20, 27:37] = 1  # centroid x = 31.5, in pixel edges 32
    left = Found.of(measure(labels, None), 0, (0, 0), 32)
    right = Found.of(measure(labels[:, 32 - 10 :], None).keep(np.array([True])), 1, (0, 22), 32)
    assert not left.own.any()
    assert right.own.all()


def test_taking_some_keeps_their_outlines() -> None:
    found = found_of([(20, 20), (20, 45), (45, 20), (45, 45)])
    outlines = found.outlines()
    some = found.take(np.array([3, 1]))
    assert [o.tolist() for o in some.outlines()] == [outlines[3].tolist(), outlines[1].tolist()]
    assert found.keep(np.array([False, True, False, True])).centroid.tolist() == found.centroid[[1, 3]].tolist()
    assert same(joined([found.take(np.array([0])), found.take(np.array([1, 2, 3]))]), found)


def test_disk_and_back(tmp_path: Path) -> None:
    found = found_of([(20, 20), (45, 45)])
    found.save(tmp_path / "a.npz")
    assert same(load_found(tmp_path / "a.npz"), found)
    Found.none().save(tmp_path / "b.npz")
    assert len(load_found(tmp_path / "b.npz")) == 0
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.npz", "b.npz"]


def test_nothing_joined_is_nothing() -> None:
    assert len(joined([])) == len(joined([Found.none(), Found.none()])) == 0
    assert joined([Found.none(), found_of([(20, 20)])]).length.tolist() == found_of([(20, 20)]).length.tolist()
    assert Found.none().outlines() == []


def test_tiles_get_the_numbers_they_have_on_the_slide() -> None:
    found = found_of([(20, 20)], tile=1)
    assert found.renamed(np.array([40, 41])).tile.tolist() == [41]


@pytest.mark.parametrize("rows", [[], [0]])
def test_none_or_one(rows: list[int]) -> None:
    some = found_of([(20, 20)]).take(np.array(rows, np.int64))
    assert len(some) == len(some.outlines()) == len(rows)
