from __future__ import annotations

import numpy as np
from tests.cells.training.nuclei import square_labels

from napari_c2lst.cells.postprocess import measure
from napari_c2lst.cells.training.overlays import UNTYPED, beside, border, outlined

LABELS = square_labels(20, (2, 2, 6, 6), (2, 8, 6, 6))
GREY = np.full((20, 20, 3), 200, np.uint8)


def test_the_border_of_a_square() -> None:
    edge = border(square_labels(20, (4, 4, 5, 5)))
    assert edge.sum() == 16
    assert edge[4, 4]
    assert not edge[5, 5]
    assert not edge[3, 4]


def test_touching_nuclei_both_have_one() -> None:
    edge = border(LABELS)
    assert edge[4, 7]
    assert edge[4, 8]


def test_colours_are_those_of_types() -> None:
    types = np.where(LABELS == 1, 1, np.where(LABELS == 2, 2, 0)).astype(np.uint8)
    drawn = outlined(GREY, LABELS, measure(LABELS, types), [(0, 0, 0), (255, 0, 0), (0, 0, 255)])
    assert drawn[2, 2].tolist() == [255, 0, 0]
    assert drawn[2, 13].tolist() == [0, 0, 255]
    assert drawn[4, 4].tolist() == [200, 200, 200]
    assert (GREY == 200).all()


def test_without_types_all_are_of_one_colour() -> None:
    drawn = outlined(GREY, LABELS, measure(LABELS, None), [])
    assert drawn[2, 2].tolist() == drawn[2, 13].tolist() == list(UNTYPED)


def test_two_pictures_with_a_gap() -> None:
    empty = np.zeros((20, 20), np.int32)
    picture = np.asarray(beside(GREY, (LABELS, measure(LABELS, None)), (empty, measure(empty, None)), []))
    assert picture.shape == (20, 48, 3)
    assert (picture[:, 20:28] == 255).all()
    assert (picture[:, 28:] == 200).all()
    assert not (picture[:, :20] == 200).all()


def test_a_type_beyond_the_colours_is_drawn_all_the_same() -> None:
    types = np.where(LABELS > 0, 9, 0).astype(np.uint8)
    drawn = outlined(GREY, LABELS, measure(LABELS, types), [(0, 0, 0), (255, 0, 0)])
    assert drawn[2, 2].tolist() == list(UNTYPED)


def test_a_nucleus_that_fills_the_image_has_no_border() -> None:
    assert not border(np.ones((6, 6), np.int32)).any()
    assert not border(np.zeros((0, 0), np.int32)).any()
