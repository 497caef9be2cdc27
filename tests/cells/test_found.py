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


def test_a_nucleus_whose_outline_reaches_the_border_is_at_the_rim_wherever_its_middle_is() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[20:30, 5:60] = 1  # from 5 px inside to 4 px before the other border
    labels[40:50, 5:62] = 2  # 2 px before it
    found = Found.of(measure(labels, None), 0, (0, 0), 64)
    assert found.rim.tolist() == [False, True]
    assert found.own.all()


@pytest.mark.parametrize("reach", [0, 3, 8])
def test_how_far_beside_its_core_a_tile_looks(reach: int) -> None:
    nuclei = measure(discs((80, 80), [(30, 68)], 5), None)  # centred 4.5 px beyond the core
    assert len(Found.of(nuclei, 0, (0, 0), 64, reach)) == (1 if reach == 8 else 0)


def test_types_are_small_numbers_on_disk(tmp_path: Path) -> None:
    """A million nuclei are to be kept: nothing is wider than it must be."""
    found = found_of([(20, 20), (45, 45)])
    kinds = {f.name: getattr(found, f.name).dtype.name for f in fields(Found)}
    assert kinds["type"] == "uint8"
    assert kinds["corners"] == kinds["area"] == kinds["length"] == "int32"
    none = {f.name: getattr(Found.none(), f.name).dtype.name for f in fields(Found)}
    assert none == kinds, "with nothing found they stay what they are when joined"


def test_a_file_that_runs_code_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", tile=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        load_found(tmp_path / "a.npz")


def test_a_failed_write_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found_of([(20, 20)]).save(tmp_path / "a.npz")

    def torn(file: object, **arrays: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", torn)
    with pytest.raises(KeyboardInterrupt):
        found_of([(45, 45)]).save(tmp_path / "a.npz")
    assert load_found(tmp_path / "a.npz").centroid.tolist() == [[20, 20]]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (1, 2), (2, 3), (1, 1), (0, 0)])
def test_a_part_is_what_taking_its_rows_gives(start: int, stop: int) -> None:
    labels = discs((60, 90), [(20, 20), (20, 50), (40, 70)], 6)
    found = Found.of(measure(labels, None), 0, (0, 0), 90)
    part, taken = found.part(start, stop), found.take(np.arange(start, stop))
    for field in fields(Found):
        np.testing.assert_array_equal(getattr(part, field.name), getattr(taken, field.name))
    assert np.shares_memory(part.corners, found.corners) or start == stop
