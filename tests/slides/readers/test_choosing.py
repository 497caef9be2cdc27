from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, Labels2DModel, ShapesModel, TableModel
from spatialdata.transformations import Identity, Scale

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.readers.choosing import Choice, choose_elements, regions_of, theirs


def image(side: int = 16, *, channels: int = 3, scale_factors: list[int] | None = None, **systems: Any) -> Any:
    pixels = np.zeros((channels, side, side), np.uint8)
    return Image2DModel.parse(
        pixels, dims=("c", "y", "x"), scale_factors=scale_factors, transformations=systems or {"global": Identity()}
    )


def spots(**systems: Any) -> Any:
    return ShapesModel.parse(np.ones((2, 2)), geometry=0, radius=1, transformations=systems or {"global": Identity()})


def table(*regions: str) -> Any:
    obs = pd.DataFrame({"region": pd.Categorical(np.repeat(regions, 2)), "spot_id": [0, 1] * len(regions)})
    obs.index = obs.index.astype(str)
    data = ad.AnnData(np.zeros((len(obs), 1), np.float32), obs=obs)
    return TableModel.parse(data, region=list(regions), region_key="region", instance_key="spot_id")


def choose(sdata: SpatialData, **asked: str) -> Choice:
    return choose_elements(sdata, "slide 'a'", **asked)


def test_one_of_each() -> None:
    sdata = SpatialData(images={"he": image()}, shapes={"spots": spots()}, tables={"t": table("spots")})
    assert choose(sdata) == Choice("he", "spots", "t", "global")


def test_an_image_alone() -> None:
    assert choose(SpatialData(images={"he": image()})) == Choice("he", None, None, "global")


def test_the_image_with_the_smallest_pixels_is_the_default() -> None:
    sdata = SpatialData(images={"a_low": image(4, **{"global": Scale([4, 4], axes=("y", "x"))}), "full": image(16)})
    choice = choose(sdata)
    assert choice.image == "full"
    assert choice.notes == ("image 'full' is used; there are also: a_low",)
    assert choose(sdata, image="a_low").image == "a_low"
    assert choose(sdata, preferred="a_low").image == "a_low"
    assert choose(sdata, preferred="not there").image == "full"


def test_of_equal_images_the_multiscale_one() -> None:
    assert choose(SpatialData(images={"a": image(), "b": image(scale_factors=[2])})).image == "b"


def test_images_of_strange_channels_and_our_own_come_last() -> None:
    sdata = SpatialData(images={"a_dapi": image(64, channels=5), "he": image(), "c2lst_raster_x": image(64)})
    assert choose(sdata).image == "he"
    assert theirs(sdata.images) == ["a_dapi", "he"]


def test_the_table_called_table_is_the_default() -> None:
    tables = {"other": table("spots"), "table": table("spots"), "c2lst_set_x": table("spots")}
    sdata = SpatialData(images={"he": image()}, shapes={"spots": spots()}, tables=tables)
    assert choose(sdata).table == "table"
    assert choose(sdata).notes == ("table 'table' is used; there are also: other",)
    assert choose(sdata, table="other").table == "other"


def test_a_table_of_labels_is_no_table_of_spots() -> None:
    labels = Labels2DModel.parse(np.ones((8, 8), int), dims=("y", "x"))
    sdata = SpatialData(images={"he": image()}, labels={"cells": labels}, tables={"t": table("cells")})
    choice = choose(sdata)
    assert (choice.table, choice.shapes) == (None, None)
    assert "opened as an image alone" in choice.notes[0]
    with pytest.raises(InputError, match="table 't' of slide 'a' annotates cells, not spots"):
        choose(sdata, table="t")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"image": "x"}, "slide 'a' has no image 'x' / there: he"),
        ({"table": "x"}, "slide 'a' has no table 'x' / there: t"),
        ({"system": "x"}, "slide 'a' has no coordinate system 'x' / there: global"),
        ({"image": "c2lst_raster"}, "has no image 'c2lst_raster'"),
    ],
)
def test_a_wrong_name_is_answered_with_the_names_there(asked: dict, told: str) -> None:
    sdata = SpatialData(
        images={"he": image(), "c2lst_raster": image()}, shapes={"spots": spots()}, tables={"t": table("spots")}
    )
    with pytest.raises(InputError) as caught:
        choose(sdata, **asked)
    assert told in str(caught.value)


@pytest.fixture
def two_samples() -> SpatialData:
    """Two samples in one object, each in a coordinate system of its own, as spatialdata.concatenate makes them."""
    return SpatialData(
        images={f"{s}_image": image(**{s: Identity()}) for s in "AB"},
        shapes={s: spots(**{s: Identity(), f"{s}_downscaled": Scale([0.1, 0.1], axes=("y", "x"))}) for s in "AB"},
        tables={"table": table("A", "B")},
    )


def test_a_sample_is_chosen_by_its_system_or_its_image(two_samples: SpatialData) -> None:
    assert choose(two_samples) == Choice("A_image", "A", "table", "A")
    assert choose(two_samples, system="B") == Choice("B_image", "B", "table", "B")
    assert choose(two_samples, image="B_image") == Choice("B_image", "B", "table", "B")
    assert regions_of(two_samples.tables["table"]) == ["A", "B"]


def test_contradicting_names(two_samples: SpatialData) -> None:
    with pytest.raises(InputError, match=r"image 'A_image' .* has no place in the coordinate system 'B'"):
        choose(two_samples, image="A_image", system="B")
    with pytest.raises(InputError, match="has no image in the coordinate system 'B_downscaled'"):
        choose(two_samples, system="B_downscaled")


def test_image_and_spots_without_a_common_system() -> None:
    sdata = SpatialData(
        images={"he": image(micro=Identity())}, shapes={"spots": spots(stage=Identity())}, tables={"t": table("spots")}
    )
    with pytest.raises(
        InputError, match=r"spots 'spots' \(stage\) and images \(micro\) of slide 'a' share no coordinate"
    ):
        choose(sdata)
    with pytest.raises(InputError, match=r"the spots of table 't' of slide 'a' have no place in: micro / .*: stage"):
        choose(sdata, image="he")


def test_the_system_named_like_the_sample_is_preferred() -> None:
    systems = {"sample": Identity(), "a_downscaled": Scale([0.2, 0.2], axes=("y", "x"))}
    sdata = SpatialData(
        images={"he": image(**systems)}, shapes={"sample": spots(**systems)}, tables={"t": table("sample")}
    )
    assert choose(sdata).system == "sample"
