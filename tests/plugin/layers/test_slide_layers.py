from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers import Opened, image_layer, slide_layers, spot_size_px, spots_layer
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide, Spots

MakeSlide = Callable[..., Slide]


def test_image_is_a_lazy_pyramid_in_microns(make_slide: MakeSlide) -> None:
    slide = make_slide()
    data, options, kind = image_layer(slide)
    assert kind == "image"
    assert [level.shape for level in data] == [(400, 600, 3), (200, 300, 3)]
    assert all(isinstance(level, da.Array) for level in data)
    assert np.array_equal(data[0][5, 7].compute(), slide.pyramid.levels[0][:, 5, 7].compute())
    assert options["scale"] == (0.5, 0.5)
    assert options["units"] == ("um", "um")
    assert options["multiscale"]
    assert options["metadata"]["c2lst"]["microns_per_pixel"] == {"value": 0.5, "source": "given", "detail": "a test"}


def test_one_level_is_no_pyramid(make_slide: MakeSlide) -> None:
    level = da.zeros((3, 50, 60), dtype=np.uint8)
    data, options, _ = image_layer(make_slide(pyramid=Pyramid([level], [1.0])))
    assert data.shape == (50, 60, 3)
    assert not options["multiscale"]


def test_spots_have_their_place_size_and_name(make_slide: MakeSlide) -> None:
    slide = make_slide()
    data, options, kind = spots_layer(slide)
    assert kind == "points"
    assert slide.spots is not None
    assert np.array_equal(data, slide.spots.yx - 0.5)  # corner of the image -> centre of the first pixel
    assert options["size"] == 200  # 100 um at 0.5 um/px
    assert options["features"]["spot"] == ["a", "b", "c"]


def test_all_layers_carry_the_same_scale_and_units(make_slide: MakeSlide) -> None:
    for slide in (make_slide(), make_slide(microns=None)):
        placed = {(options["scale"], options["units"]) for _, options, _ in slide_layers(slide)}
        assert len(placed) == 1


def test_without_microns_pixels_are_pixels(make_slide: MakeSlide) -> None:
    slide = make_slide(microns=None)
    _, options, _ = image_layer(slide)
    assert (options["scale"], options["units"]) == ((1.0, 1.0), ("pixel", "pixel"))
    assert options["metadata"]["c2lst"]["microns_per_pixel"] is None
    assert spot_size_px(slide) == 50


def test_without_a_diameter_a_usual_one(make_slide: MakeSlide) -> None:
    assert spot_size_px(make_slide(diameter_um=None)) == pytest.approx(110)


def test_an_image_alone_is_one_layer(make_slide: MakeSlide) -> None:
    assert [kind for _, _, kind in slide_layers(make_slide(spots=None))] == ["image"]


def test_squares_of_bins_are_squares(make_slide: MakeSlide) -> None:
    slide = make_slide(facts=SlideFacts(array="squares", spot_um=112.0))
    assert spots_layer(slide)[1]["symbol"] == "square"
    assert spots_layer(make_slide())[1]["symbol"] == "disc"


def test_layers_remember_their_slide_and_their_key(make_slide: MakeSlide) -> None:
    slide = make_slide()
    layers = slide_layers(slide, {"mpp": 0.5})
    about = [options["metadata"]["c2lst"] for _, options, _ in layers]
    assert [each["key"] for each in about] == ["image", "spots"]
    assert about[0]["opened"] is about[1]["opened"]
    assert (about[0]["opened"].slide, about[0]["opened"].opening) == (slide, {"mpp": 0.5})


def test_napari_spatialdata_finds_what_it_colours_by(shared: Path) -> None:
    slide = open_slide(shared / "her2st" / "B4")
    found = spots_layer(slide)[1]["metadata"]
    assert list(found["adata"].obs_names) == list(slide.spots.ids)
    assert len(found["indices"]) == found["_n_indices"] == 283
    assert found["adata"].uns["spatialdata_attrs"]["region_key"] == found["region_key"]
    assert found["instance_key"] in found["adata"].obs
    assert found["_current_cs"] == slide.coordinate_system
    assert found["indices"] == found["adata"].obs[found["instance_key"]].tolist()
    assert found["_columns_df"] is None
    # with these it would move our layers out of microns
    assert not {"sdata", "name"} & found.keys()


def test_spots_of_visium_are_found_by_their_numbers(shared: Path) -> None:
    found = spots_layer(open_slide(shared / "layouts" / "visium_v1_scanpy"))[1]["metadata"]
    assert found["indices"][:3] == [0, 1, 2] == found["adata"].obs[found["instance_key"]].tolist()[:3]


def test_columns_that_others_add_stay_out_of_the_slide(shared: Path) -> None:
    slide = open_slide(shared / "layouts" / "visium_v1_scanpy")
    spots_layer(slide)[1]["metadata"]["adata"].obs["theirs"] = 1
    assert "theirs" not in slide.sdata.tables[slide.table_name].obs


def test_bins_of_a_slide_without_microns_have_a_size_too(make_slide: MakeSlide) -> None:
    assert spot_size_px(make_slide(microns=None, diameter_um=8.0)) == 50  # the diameter alone says nothing in pixels


def test_ids_that_are_numbers_are_names_for_napari(make_slide: MakeSlide) -> None:
    slide = make_slide()
    numbered = make_slide(spots=Spots(np.array([1, 2, 3]), slide.require_spots().yx, 100.0))
    assert spots_layer(numbered)[1]["features"]["spot"] == ["1", "2", "3"]


def test_a_slide_without_a_table_says_nothing_to_napari_spatialdata(make_slide: MakeSlide) -> None:
    metadata = spots_layer(make_slide())[1]["metadata"]
    assert set(metadata) == {"c2lst"}


def test_no_layer_without_spots(make_slide: MakeSlide) -> None:
    with pytest.raises(InputError):
        spots_layer(make_slide(spots=None))


def test_layers_of_a_slide_that_is_there_share_what_it_was_opened_by(make_slide: MakeSlide) -> None:
    opened = Opened(make_slide(), {"mpp": 0.5})
    layers = slide_layers(opened.slide, {"mpp": 99.0}, opened=opened)
    assert all(options["metadata"]["c2lst"]["opened"] is opened for _, options, _ in layers)
