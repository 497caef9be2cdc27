"""Nuclei of tiles put together: none twice, none lost, in an order of their own; and their polygons."""

import numpy as np
import pytest
import shapely
from tests.cells.maps import discs

from napari_c2lst.cells import joining
from napari_c2lst.cells.found import Found, joined
from napari_c2lst.cells.joining import on_tissue, polygons, stitched
from napari_c2lst.cells.postprocess import measure
from napari_c2lst.cells.tiles import moved
from napari_c2lst.slides.images.tissue import TissueMask

CENTRES = [(y, x) for y in range(12, 120, 16) for x in range(14, 120, 17)]


def tiles_of(labels: np.ndarray, core: int, shift: int = 0, jitter: int = 0) -> list[Found]:
    """What tiles with a margin of 16 px find of a label image; `jitter` moves what each second tile sees."""
    found = []
    padded = np.pad(labels, 64)
    for tile, (y, x) in enumerate((y, x) for y in range(-shift, 128, core) for x in range(-shift, 128, core)):
        aside = jitter * (tile % 2)
        view = padded[y + 48 : y + 80 + core, x + 48 + aside : x + 80 + core + aside]
        nuclei = measure(np.ascontiguousarray(view), None)
        found.append(Found.of(moved(nuclei, -16), tile, (y, x), core))
    return found


@pytest.mark.parametrize(("core", "shift"), [(128, 0), (64, 0), (32, 0), (32, 8), (48, 24)])
def test_every_nucleus_once_whatever_the_tiles(core: int, shift: int) -> None:
    labels = discs((128, 128), CENTRES, 6)
    found = stitched(joined(tiles_of(labels, core, shift)))
    whole = measure(labels, None)
    assert len(found) == len(whole) == len(CENTRES)
    order = np.lexsort((whole.centroid[:, 0], whole.centroid[:, 1]))
    np.testing.assert_allclose(found.centroid, whole.centroid[order])
    assert found.area.tolist() == whole.area[order].tolist()


@pytest.mark.parametrize("jitter", [1, 2, -2])
def test_tiles_that_see_a_centroid_a_little_differently(jitter: int) -> None:
    labels = discs((128, 128), CENTRES, 6)
    parts = tiles_of(labels, 32, 0, jitter)
    assert len(joined(parts)) > len(CENTRES)
    found = stitched(joined(parts))
    assert len(found) == len(CENTRES)


def test_of_two_sights_the_one_in_its_own_tile_stays() -> None:
    one = Found.of(measure(discs((60, 60), [(30, 31)], 6), None), 0, (0, 0), 30)  # beside its core
    other = Found.of(measure(discs((60, 60), [(30, 2)], 6), None), 1, (0, 30), 30)
    assert (one.own.tolist(), other.own.tolist()) == ([False], [False])
    both = stitched(joined([one, other]))
    assert both.tile.tolist() == [0]
    owner = Found.of(measure(discs((60, 60), [(20, 2)], 6), None), 1, (0, 30), 30)
    beside = Found.of(measure(discs((60, 60), [(20, 31)], 6), None), 0, (0, 0), 30)
    assert stitched(joined([beside, owner])).tile.tolist() == [1]


def test_neighbours_in_different_tiles_both_stay() -> None:
    one = Found.of(measure(discs((60, 60), [(15, 24)], 6), None), 0, (0, 0), 30)
    other = Found.of(measure(discs((60, 60), [(15, 7)], 6), None), 1, (0, 30), 30)
    assert len(stitched(joined([one, other]))) == 2


def test_nothing_to_join() -> None:
    assert len(stitched(Found.none())) == 0
    assert len(polygons(Found.none())) == 0


def test_polygons_cover_whole_pixels() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 10:30] = 1
    box = polygons(Found.of(measure(labels, None), 0, (0, 0), 40))[0]
    assert box.bounds == (10, 5, 30, 15)
    assert box.area == pytest.approx(200)
    large = polygons(Found.of(measure(labels, None), 0, (0, 0), 40), px=0.5)[0]
    assert large.bounds == (5, 2.5, 15, 7.5)


def test_polygons_are_valid_and_as_large_as_their_nuclei() -> None:
    rng = np.random.default_rng(0)
    centres = [tuple(c) for c in rng.integers(10, 190, (60, 2)).tolist()]
    labels = discs((200, 200), centres, 9)
    labels[100, 20:180] = 77  # a tail a pixel wide
    labels[90:110, 90:110] = 77
    found = Found.of(measure(labels, None), 0, (0, 0), 200)
    shapes = polygons(found)
    assert all(shapely.is_valid(shapes))
    assert set(shapely.get_type_id(shapes).tolist()) == {3}
    ratio = shapely.area(shapes) / found.area
    assert np.median(ratio) == pytest.approx(1, abs=0.05)


def test_some_polygons_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found.of(measure(discs((128, 128), CENTRES, 6), None), 0, (0, 0), 128)
    whole = polygons(found)
    monkeypatch.setattr(joining, "_AT_ONCE", 5)
    assert shapely.equals_exact(polygons(found), whole).all()
    assert len(whole) == len(CENTRES)


def test_only_what_lies_on_tissue() -> None:
    found = Found.of(measure(discs((80, 80), [(20, 20), (20, 60)], 6), None), 0, (0, 0), 80)
    mask = np.zeros((4, 4), bool)
    mask[:, :2] = True
    assert on_tissue(found, TissueMask(mask, 10.0), 0.5).centroid.tolist() == [[20, 20]]
