"""The slide as it is lent: its elements where our layers have them, and nothing of it that reaches the slide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spatialdata.transformations import Scale, get_transformation, set_transformation

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.placing import MICRONS, to_world
from napari_c2lst.plugin.neighbour.elements import PIXELS, lend
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def visium(shared: Path) -> Slide:
    return open_slide(shared / "layouts" / "visium_v1_scanpy")


def matrix(element: object) -> np.ndarray:
    (transformation,) = get_transformation(element, get_all=True).values()
    return transformation.to_affine_matrix(("x", "y"), ("x", "y"))


def test_one_coordinate_system_in_microns(visium: Slide) -> None:
    lent = lend(visium)
    assert lent.system == MICRONS
    assert lent.sdata.coordinate_systems == [MICRONS]
    assert set(lent.sdata.images) == set(visium.sdata.images)
    assert set(lent.sdata.tables) == {"table"}


def test_spots_lie_where_our_layer_has_them(visium: Slide) -> None:
    shapes = lend(visium).sdata.shapes[visium.shapes_name]
    xy = np.column_stack([shapes.geometry.x, shapes.geometry.y, np.ones(len(shapes))]) @ matrix(shapes).T
    assert np.allclose(xy[:, 1::-1][: len(visium.spots)], to_world(visium, visium.spots.yx))


def test_a_coarser_picture_covers_the_same_tissue(visium: Slide) -> None:
    images = lend(visium).sdata.images
    ends = []
    for image in images.values():
        height, width = image.shape[-2:]
        ends.append((matrix(image) @ [width, height, 1])[:2])
    assert len(ends) == 2
    assert np.allclose(ends[0], ends[1], rtol=2e-3)


def test_the_slide_stays_as_it_is(visium: Slide) -> None:
    before = {name: sorted(get_transformation(each, get_all=True)) for name, each in visium.sdata.images.items()}
    lent = lend(visium)
    for element in (*lent.sdata.images.values(), *lent.sdata.shapes.values()):
        set_transformation(element, Scale([2.0, 2.0], ("x", "y")), "theirs")
    lent.sdata.tables["table"].obs["theirs"] = 1
    lent.sdata.tables["table"].uns["spatialdata_attrs"]["region"] = "theirs"
    assert before == {n: sorted(get_transformation(each, get_all=True)) for n, each in visium.sdata.images.items()}
    assert "theirs" not in visium.sdata.tables["table"].obs
    assert visium.sdata.tables["table"].uns["spatialdata_attrs"]["region"] == visium.shapes_name
    assert lent.sdata.tables["table"].X is visium.sdata.tables["table"].X  # no copy of the counts


def test_what_has_no_place_beside_the_image_is_left_out(visium: Slide) -> None:
    system = f"{visium.coordinate_system}_downscaled_lowres"
    low = next(name for name in visium.sdata.images if "lowres" in name)
    lent = lend(replace(visium, image_name=low, coordinate_system=system))
    assert set(lent.sdata.images) == {low}
    assert set(lent.sdata.shapes) == {visium.shapes_name}


def test_a_table_goes_with_its_shapes() -> None:
    from spatialdata.datasets import blobs

    slide = open_blobs(blobs())
    set_transformation(slide.sdata.labels["blobs_labels"], {"elsewhere": Scale([1.0, 1.0], ("x", "y"))}, set_all=True)
    lent = lend(slide)
    assert "blobs_labels" not in lent.sdata.labels
    assert not lent.sdata.tables
    assert "blobs_points" in lent.sdata.points


def open_blobs(sdata: object) -> Slide:
    from napari_c2lst.slides.images.pyramid import Pyramid

    pixels = sdata.images["blobs_image"].data  # type: ignore[attr-defined]
    names = (None, None, "global")
    return Slide(
        "b", Path("b.zarr"), "a test", sdata, "blobs_image", *names, Pyramid([pixels], [1.0]), None, None, True
    )


def test_without_microns_the_window_is_in_pixels() -> None:
    from spatialdata.datasets import blobs

    lent = lend(open_blobs(blobs()))
    assert lent.system == PIXELS
    assert np.allclose(matrix(lent.sdata.images["blobs_image"]), [[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    assert np.allclose(lent.to_pixels @ [0, 0, 1], [0.5, 0.5, 1])


def test_what_was_made_is_what_was_not_lent(visium: Slide) -> None:
    lent = lend(visium)
    assert lent.made("shapes") == lent.made("tables") == {}
    shapes = lent.sdata.shapes[visium.shapes_name]
    lent.sdata.shapes["new"] = shapes.copy()
    lent.sdata.shapes[visium.shapes_name] = shapes.copy()
    assert set(lent.made("shapes")) == {"new", visium.shapes_name}


def test_a_slide_without_elements_cannot_be_lent(make_slide: Callable[..., Slide]) -> None:
    with pytest.raises(InputError, match="holds no elements"):
        lend(make_slide(sdata=None))
