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


def test_where_four_tiles_meet_a_nucleus_is_one() -> None:
    """Each of the four sees it whole, and its middle lies a little off for each."""
    sights = []
    for tile, (y, x) in enumerate([(0, 0), (0, 32), (32, 0), (32, 32)]):
        seen = measure(discs((80, 80), [(48 - y + tile % 2, 48 - x - tile // 2)], 6), None)
        sights.append(Found.of(moved(seen, -16), tile, (y, x), 32))
    assert [len(sight) for sight in sights] == [1, 1, 1, 1]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        found = stitched(joined([sights[i] for i in order]))
        assert len(found) == 1
    assert found.own.all()


def test_two_nuclei_that_a_tile_took_for_one() -> None:
    """The tile that owns the joined shape keeps it; what the other tile saw of it is a part of the same."""
    labels = np.zeros((60, 60), np.int32)
    labels[20:30, 20:38] = 1
    whole = Found.of(measure(labels, None), 0, (0, 0), 30)
    halves = np.zeros((60, 60), np.int32)
    halves[20:30, 1:8] = 1
    part = Found.of(measure(halves, None), 1, (0, 30), 30)
    found = stitched(joined([whole, part]))
    assert found.tile.tolist() == [0]
    assert found.area.tolist() == [180]


def test_two_of_one_tile_are_never_one() -> None:
    """Within a tile the watershed has the last word, even where outlines touch."""
    labels = np.zeros((40, 40), np.int32)
    labels[0:10, 0:10], labels[0:10, 10:20] = 1, 2
    assert len(stitched(Found.of(measure(labels, None), 0, (0, 0), 40))) == 2


def test_the_order_is_that_of_places_whatever_the_order_of_tiles() -> None:
    parts = tiles_of(discs((128, 128), CENTRES, 6), 32)
    one, other = stitched(joined(parts)), stitched(joined(parts[::-1]))
    np.testing.assert_array_equal(one.centroid, other.centroid)
    np.testing.assert_array_equal(one.corners, other.corners)
    assert (np.diff(one.centroid[:, 1]) >= 0).all()


def test_beyond_the_mask_there_is_no_tissue() -> None:
    found = Found.of(measure(discs((80, 80), [(20, 20), (20, 60)], 6), None), 0, (0, -40), 80)
    assert on_tissue(found, TissueMask(np.ones((4, 4), bool), 20.0), 1.0).centroid.tolist() == [[20, 20]]
    assert len(on_tissue(Found.none(), TissueMask(np.ones((4, 4), bool), 20.0), 1.0)) == 0


def test_a_nucleus_with_a_hole_has_an_outline_only() -> None:
    ring = discs((60, 60), [(30, 30)], 12)
    filled = np.count_nonzero(ring)
    ring[np.hypot(*(np.mgrid[:60, :60] - 30)) < 5] = 0
    (area,) = polygons(Found.of(measure(ring, None), 0, (0, 0), 60))
    assert len(area.interiors) == 0
    assert area.area == pytest.approx(filled, rel=0.05)
