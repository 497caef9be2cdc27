from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point, box
from spatialdata.models import Image2DModel, ShapesModel
from spatialdata.transformations import Affine, Identity, MapAxis, Scale, Sequence, Translation
from tests.slides.stores import make_tiny_store, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.geometry import apply_yx, centres_yx, image_size, matrix_to_system, scale_of, systems_of
from napari_c2lst.slides.opening import open_slide


def image(transformation: object) -> object:
    return Image2DModel.parse(
        np.zeros((3, 20, 30), np.uint8), dims=("c", "y", "x"), transformations={"aligned": transformation}
    )


AFFINE = Affine([[2, 0.5, 10], [-0.5, 3, 20], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
SWAP = MapAxis({"x": "y", "y": "x"})

# transformation, pixels of one unit of length, where the point (y=4, x=7) goes, as (y, x)
KINDS = [
    pytest.param(Identity(), 1, (4, 7), id="identity"),
    pytest.param(Scale([2.0, 0.5], axes=("y", "x")), 1, (8, 3.5), id="scale"),
    pytest.param(Scale([3.0, 3.0], axes=("x", "y")), 3, (12, 21), id="scale-both"),
    pytest.param(Translation([5.0, -1.0], axes=("x", "y")), 1, (3, 12), id="translation"),
    pytest.param(AFFINE, np.sqrt(6.25), (28.5, 26), id="affine"),
    pytest.param(SWAP, 1, (7, 4), id="axis-order"),
    pytest.param(
        Sequence([SWAP, Scale([2.0, 4.0], axes=("y", "x")), AFFINE]), np.sqrt(8 * 6.25), (54, 49), id="sequence"
    ),
]


@pytest.mark.parametrize(("transformation", "scale", "goes_to"), KINDS)
def test_every_kind_of_transformation(transformation: object, scale: float, goes_to: tuple) -> None:
    matrix = matrix_to_system(image(transformation), "aligned", "image")
    assert np.allclose(apply_yx(matrix, np.array([[4.0, 7.0]])), [goes_to])
    assert scale_of(matrix) == pytest.approx(scale)


@pytest.mark.parametrize("transformation", [Scale([3.0, 3.0], axes=("x", "y")), AFFINE])
def test_spots_of_a_store_stay_on_their_pixels(tmp_path: Path, transformation: object) -> None:
    """Image and spots under one transformation: the places of spots in the image and a pixel's size do not change."""
    slide = open_slide(make_tiny_store(tmp_path / "a.zarr", coordinate_system="aligned", transformation=transformation))
    _, yx = tiny_positions()
    assert slide.coordinate_system == "aligned"
    assert np.allclose(slide.spots.yx, yx)
    assert slide.mpp == pytest.approx(2.5)
    assert slide.spots.diameter_um == pytest.approx(55)


@pytest.mark.parametrize(("transformation", "scale", "_"), KINDS)
def test_spots_in_other_units_than_pixels(
    tiny_store_once: Path, tmp_path: Path, transformation: object, scale: float, _: tuple
) -> None:
    """The image alone is transformed; spots stored where their pixels went are brought back to them."""
    from spatialdata import read_zarr
    from spatialdata.transformations import set_transformation

    sdata = read_zarr(tiny_store_once)
    set_transformation(sdata.images["tiny_full_image"], transformation, "global")
    matrix = matrix_to_system(sdata.images["tiny_full_image"], "global", "")
    _, yx = tiny_positions()
    moved = apply_yx(matrix, yx)
    shapes = sdata.shapes["tiny"]
    shapes["geometry"] = [Point(x, y) for y, x in moved]
    sdata.write(tmp_path / "b.zarr")
    slide = open_slide(tmp_path / "b.zarr")
    assert np.allclose(slide.spots.yx, yx)
    assert slide.mpp == pytest.approx(2.5)


def test_an_affine_over_channels_too() -> None:
    full = Affine(
        [[2, 0, 0, 1], [0, 3, 0, 2], [0, 0, 1, 0], [0, 0, 0, 1]],
        input_axes=("x", "y", "c"),
        output_axes=("x", "y", "c"),
    )
    matrix = matrix_to_system(image(full), "aligned", "image")
    assert matrix.tolist() == [[2, 0, 1], [0, 3, 2], [0, 0, 1]]


def test_a_system_the_element_is_not_in() -> None:
    with pytest.raises(InputError, match=r"image 'a' has no place in .* 'global' / it has one in: aligned"):
        matrix_to_system(image(Identity()), "global", "image 'a'")


def test_a_transformation_that_cannot_be_inverted() -> None:
    flat = Affine([[1, 0, 0], [1, 0, 0], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
    with pytest.raises(InputError, match="cannot be inverted"):
        matrix_to_system(image(flat), "aligned", "image 'a'")


def test_centres_of_circles_and_polygons() -> None:
    circles = ShapesModel.parse(np.array([[3.0, 5.0], [1.0, 2.0]]), geometry=0, radius=1)
    assert centres_yx(circles).tolist() == [[5, 3], [2, 1]]
    squares = ShapesModel.parse(gpd.GeoDataFrame(geometry=[box(0, 0, 4, 2)]))
    assert centres_yx(squares).tolist() == [[1, 2]]


def test_sizes_and_systems() -> None:
    element = Image2DModel.parse(
        np.zeros((3, 20, 30), np.uint8),
        dims=("c", "y", "x"),
        scale_factors=[2],
        transformations={"b": Identity(), "a": Identity()},
    )
    assert image_size(element) == (20, 30)
    assert systems_of(element) == ["a", "b"]


def test_points_there_and_back_are_the_points() -> None:
    matrix = np.array([[2.0, 0.5, 3.0], [-0.3, 1.5, -7.0], [0.0, 0.0, 1.0]])
    yx = np.random.default_rng(0).uniform(-50, 50, (20, 2))
    np.testing.assert_allclose(apply_yx(np.linalg.inv(matrix), apply_yx(matrix, yx)), yx, atol=1e-9)
    assert apply_yx(matrix, np.empty((0, 2))).shape == (0, 2)


def test_the_length_of_a_unit_does_not_see_turns_mirrors_and_shifts() -> None:
    turn = np.array([[0.0, -3.0, 9.0], [3.0, 0.0, -4.0], [0.0, 0.0, 1.0]])
    mirror = np.diag([-3.0, 3.0, 1.0])
    assert scale_of(turn) == scale_of(mirror) == pytest.approx(3.0)
    assert scale_of(np.diag([2.0, 8.0, 1.0])) == pytest.approx(4.0)
