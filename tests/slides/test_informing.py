from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import picture, write_png
from tests.slides.stores import tiny_counts, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.informing import InfoResult, describe, run
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.settings import InfoSettings
from napari_c2lst.slides.spots.quality import spot_quality
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set


def test_a_store(tiny_store_once: Path) -> None:
    result = run(InfoSettings(slide=tiny_store_once), Reporter())
    counts = tiny_counts(tiny_positions()[0])
    assert (result.name, result.spots, result.genes) == ("tiny", 63, 40)
    assert (result.height, result.width, result.downsample) == (300, 400, (1, 2, 4))
    assert result.mpp == pytest.approx(2.5)
    assert result.mpp_source == "fitted"
    assert result.median_counts == np.median(counts.sum(axis=1))
    assert result.median_genes == np.median((counts > 0).sum(axis=1))
    assert 0.5 < result.spots_on_tissue < 1
    # an ellipse of half axes 0.5 sqrt(0.8) of 0.75 x 1 mm, cut at the upper and left side
    assert result.tissue_mm2 == pytest.approx(np.pi * 0.2 * 0.75, rel=0.15)
    assert result.coordinate_systems == ("global",)
    assert result.tables == ("table",)


def test_it_survives_json(tiny_store_once: Path) -> None:
    result = run(InfoSettings(slide=tiny_store_once, tissue=False), Reporter())
    assert InfoResult.model_validate(json.loads(result.model_dump_json())) == result
    assert result.tissue_mm2 is None


def test_lines_for_people(tiny_store_once: Path) -> None:
    lines = run(InfoSettings(slide=tiny_store_once), Reporter()).lines()
    assert lines[0] == "tiny: SpatialData store"
    assert lines[1] == "image 'tiny_full_image': 300 x 400 px, 3 levels, 0.75 x 1.00 mm"
    assert lines[2] == "microns per pixel: 2.5 (fitted: least squares on the Visium array, 63 spots)"
    assert lines[3] == "spots: 63 of 55 um, 40 genes"
    assert any(line.startswith("spots on tissue: ") for line in lines)


def test_quality_of_the_spots(tiny_store_once: Path) -> None:
    result = run(InfoSettings(slide=tiny_store_once), Reporter())
    quality = spot_quality(open_slide(tiny_store_once))
    assert result.quality == quality.summary()
    assert set(result.low_spots) == {"fewer than 500 counts", "less than 50 % tissue"}, "40 genes are a small panel"
    assert result.low_spots["less than 50 % tissue"] == (quality.tissue < 0.5).sum() > 0
    lines = result.lines()
    assert lines[4:7] == quality.lines()
    assert lines[7].startswith("low spots: ")
    assert f"{(quality.tissue < 0.5).sum()} have less than 50 % tissue" in lines[7]
    blind = run(InfoSettings(slide=tiny_store_once, tissue=False), Reporter())
    assert set(blind.quality) == {"counts", "genes"}
    assert set(blind.low_spots) == {"fewer than 500 counts"}


def test_spot_sets_are_listed(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    mask = np.arange(63) < 16
    write_spot_set(slide, SpotSet("train", slide.spots.ids[mask], mask, {"fraction": 0.25}))
    result = run(InfoSettings(slide=tiny_store, tissue=False), Reporter())
    assert result.spot_sets == {"train": 16}
    assert "spot set 'train': 16 spots" in result.lines()
    assert result.tables == ("table",), "our own tables are not listed as the user's"


def test_an_image_alone_without_microns(tmp_path: Path) -> None:
    result = run(InfoSettings(slide=write_png(tmp_path / "a.png", picture())), Reporter())
    assert (result.spots, result.mpp, result.tissue_mm2) == (None, None, None)
    lines = result.lines()
    assert "image 'image': 300 x 400 px, 1 level" in lines
    assert "microns per pixel: not known; pass --mpp" in lines
    assert "spots: none, an image alone" in lines
    given = run(InfoSettings(slide=tmp_path / "a.png", mpp=2.5), Reporter())
    assert given.mpp_source == "given"
    assert given.tissue_mm2 > 0.1


def test_normalised_counts_are_a_note(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    slide.sdata.tables["table"].X = np.log1p(slide.sdata.tables["table"].X)
    result = describe(slide, tissue=False)
    assert (result.spots, result.median_counts) == (63, None)
    assert any("already normalised" in note for note in result.notes)


def test_names_and_overrides_reach_the_slide(tiny_store_once: Path) -> None:
    assert run(InfoSettings(slide=tiny_store_once, mpp=1.5, tissue=False), Reporter()).mpp == 1.5
    with pytest.raises(InputError, match="has no image 'x'"):
        run(InfoSettings(slide=tiny_store_once, image_name="x"), Reporter())


def test_a_real_section(shared: Path) -> None:
    result = run(InfoSettings(slide=shared / "st2k-mob" / "MOB1"), Reporter())
    assert (result.spots, result.genes, result.median_counts, result.median_genes) == (379, 1000, 2268, 587)
    assert "fewer than 200 genes" in result.low_spots
    assert result.spots_on_tissue > 0.95
