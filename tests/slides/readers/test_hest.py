from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from tests.slides.inputs import cut, make_hest, picture, write_png
from tests.slides.stores import tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.hest import _estimated_microns


def test_a_sample(tmp_path: Path) -> None:
    slide = open_slide(make_hest(tmp_path / "hest") / "st" / "TOY1.h5ad")
    assert (slide.name, slide.kind) == ("TOY1", "HEST-1k sample")
    assert np.allclose(slide.spots.yx, tiny_positions()[1])
    assert slide.counts().shape == (63, 6)
    assert slide.genes[0] == "ENSG0"
    assert len(slide.pyramid.levels) == 2


def test_microns_are_the_estimated_ones_never_the_embedded(tmp_path: Path) -> None:
    slide = open_slide(make_hest(tmp_path / "hest"))
    assert (slide.mpp, slide.microns.source) == (0.7, "stored")
    assert "pixel_size_um_estimated" in slide.microns.detail
    assert any("0.7 um per pixel are stored, but the array of spots says 2.5" in note for note in slide.notes)


def test_without_an_estimate_the_array_tells(tmp_path: Path) -> None:
    slide = open_slide(make_hest(tmp_path / "hest", estimated=None))
    assert (slide.mpp, slide.microns.source) == (pytest.approx(2.5), "fitted")


def test_a_folder_of_several_samples(tmp_path: Path) -> None:
    hest = make_hest(tmp_path / "hest")
    assert open_slide(hest).name == "TOY1"
    make_hest(hest, "TOY2")
    with pytest.raises(InputError, match=r"holds 2 samples: TOY1, TOY2 / open one: .*st/TOY1.h5ad"):
        open_slide(hest)


def change(hest: Path, what) -> Path:
    file = hest / "st" / "TOY1.h5ad"
    adata = ad.read_h5ad(file)
    what(adata)
    adata.write_h5ad(file)
    return file


def test_spots_off_tissue_are_left_out(tmp_path: Path) -> None:
    def off(adata) -> None:
        adata.obs["in_tissue"] = [1] * 60 + [0] * 3

    slide = open_slide(change(make_hest(tmp_path / "hest"), off))
    assert len(slide.spots) == slide.counts().shape[0] == 60


def test_without_positions(tmp_path: Path) -> None:
    def without(adata) -> None:
        del adata.obsm["spatial"]

    with pytest.raises(InputError, match=r"has no obsm\['spatial'\].* / store the spot centres there"):
        open_slide(change(make_hest(tmp_path / "hest"), without))


def test_positions_that_are_missing(tmp_path: Path) -> None:
    def missing(adata) -> None:
        adata.obsm["spatial"][3] = np.nan

    with pytest.raises(InputError, match=r"1 spots of .* have no position, first 'BC3'"):
        open_slide(change(make_hest(tmp_path / "hest"), missing))


def test_spots_named_twice(tmp_path: Path) -> None:
    def twice(adata) -> None:
        adata.obs_names = ["A", "A", *adata.obs_names[2:]]

    with pytest.raises(InputError, match="names 1 spots twice, first 'A'"):
        open_slide(change(make_hest(tmp_path / "hest"), twice))


def test_counts_in_a_layer(tmp_path: Path) -> None:
    def normalise(adata) -> None:
        adata.layers["counts"] = adata.X.copy()
        adata.X = adata.X * 0.37

    slide = open_slide(change(make_hest(tmp_path / "hest"), normalise))
    assert slide.counts().sum() == round(slide.counts().sum())


def test_a_sample_without_its_image(tmp_path: Path) -> None:
    hest = make_hest(tmp_path / "hest")
    (hest / "wsis" / "TOY1.tif").unlink()
    with pytest.raises(InputError, match=r"has no image beside it \(HEST-1k: wsis/TOY1.tif\) / pass --image FILE"):
        open_slide(hest)
    slide = open_slide(hest, image=write_png(tmp_path / "other.png", picture()))
    assert slide.pyramid.shape == (300, 400)


def test_damaged_files(tmp_path: Path) -> None:
    hest = make_hest(tmp_path / "hest")
    (hest / "metadata" / "TOY1.json").write_text(json.dumps({})[:1])
    with pytest.raises(InputError, match=r"TOY1.json' cannot be read"):
        open_slide(hest)
    cut(hest / "st" / "TOY1.h5ad")
    with pytest.raises(InputError, match=r"TOY1.h5ad' cannot be read: .*truncated"):
        open_slide(hest)


def test_any_h5ad_with_positions_and_a_given_image(shared: Path) -> None:
    folder = shared / "visium-mousebrain-crop49"
    slide = open_slide(folder / "test_data.h5ad", image=folder / "test_img.jpg", mpp=0.727)
    assert (slide.kind, len(slide.spots), slide.mpp) == ("h5ad with an image", 49, 0.727)
    with pytest.raises(InputError, match="already normalised"):
        slide.counts()


@pytest.mark.parametrize("size", ["NaN", "0", "-0.4", "null", "Infinity"])
def test_an_estimate_that_cannot_be_is_none(tmp_path: Path, size: str) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(f'{{"pixel_size_um_estimated": {size}}}')
    assert _estimated_microns(file) is None
    file.write_text('{"pixel_size_um_estimated": "0.46"}')
    assert _estimated_microns(file) == 0.46


def test_array_coordinates_that_some_spots_lack_are_not_used(tmp_path: Path) -> None:
    def missing(adata) -> None:
        adata.obs["array_row"] = [np.nan, *adata.obs["array_row"][1:]]

    slide = open_slide(change(make_hest(tmp_path / "hest", estimated=None), missing))
    assert len(slide.spots) == 63
    assert slide.spots.array_rc is None
    assert slide.microns is None


def test_a_name_with_blanks_and_a_sample_of_one_spot(tmp_path: Path) -> None:
    hest = make_hest(tmp_path / "my hest", "TOY 1 ä")
    file = hest / "st" / "TOY 1 ä.h5ad"
    ad.read_h5ad(file)[:1].write_h5ad(file)
    slide = open_slide(hest)
    assert (slide.name, slide.spots.ids.tolist(), slide.mpp) == ("TOY 1 ä", ["BC0"], 0.7)
    assert slide.counts().shape == (1, 6)


def test_a_sample_without_any_spot(tmp_path: Path) -> None:
    file = make_hest(tmp_path / "hest") / "st" / "TOY1.h5ad"
    ad.read_h5ad(file)[:0].write_h5ad(file)
    with pytest.raises(InputError, match=r"'.*TOY1\.h5ad' has no spots / "):
        open_slide(file)
