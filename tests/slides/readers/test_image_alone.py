from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import picture, write_tiff

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.image_alone import read_image_alone
from napari_c2lst.slides.readers.reading import Wanted


@pytest.mark.parametrize(("file", "name"), [("a.b.svs", "a.b"), ("a.ome.tif", "a"), ("x.tiff", "x")])
def test_name_kind_and_pixels(tmp_path: Path, file: str, name: str) -> None:
    reading = read_image_alone(write_tiff(tmp_path / file, picture(), levels=2), Wanted())
    assert reading.facts.name == name
    assert reading.facts.kind == f"image alone ({file.split('.')[-1]})"
    assert not reading.is_zarr
    assert not reading.sdata.tables
    assert np.array_equal(reading.sdata.images["image"]["scale0"]["image"].values, picture().transpose(2, 0, 1))


def test_microns_by_its_tags(tmp_path: Path) -> None:
    slide = open_slide(write_tiff(tmp_path / "a.svs", picture(), description="Aperio|MPP = 0.4990", metadata=None))
    assert (slide.mpp, slide.microns.source, slide.microns.detail) == (0.499, "stored", "Aperio MPP tag")
    assert open_slide(tmp_path / "a.svs", mpp=0.25).microns.source == "given"


def test_a_second_image_is_refused(tmp_path: Path) -> None:
    file = write_tiff(tmp_path / "a.tif", picture())
    with pytest.raises(InputError, match="is an image alone: it takes no second image"):
        open_slide(file, image=file)


def test_real_slides(shared: Path) -> None:
    small = open_slide(shared / "hne-wsi" / "CMU-1-Small-Region.svs")
    assert (small.mpp, small.spots, small.kind) == (0.499, None, "image alone (svs)")
    assert open_slide(shared / "hne-wsi" / "tcga-cr-7395-01a-01-ts1.svs").microns is None
