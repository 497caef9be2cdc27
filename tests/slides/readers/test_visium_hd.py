from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.slides.inputs import cut, make_hd, write_h5_counts

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers import tenx
from napari_c2lst.slides.readers.visium_hd import choose_bin, hd_bins


def test_bins_are_summed_into_squares(tmp_path: Path) -> None:
    """30 x 40 bins of 16 um, of which 30 columns lie under tissue: 4.3 x 4.3 squares of 7 x 7 bins."""
    slide = open_slide(make_hd(tmp_path / "hd"))
    assert slide.kind == "Visium HD, bins of 16 um (Space Ranger)"
    obs = slide.sdata.tables["table"].obs
    counts = slide.counts().toarray()
    full = obs.loc[slide.spots.ids, "bins"].to_numpy() == 49
    assert (counts[full] == 49).all(), "every bin has one count of each gene"
    assert np.array_equal(counts[:, 0], obs.loc[slide.spots.ids, "bins"])
    assert slide.spots.diameter_um == 112
    assert "900 bins of 16 um are summed into 20 squares of 112 um" in slide.notes


def test_squares_lie_where_their_bins_lie(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd"))
    rc = slide.spots.array_rc
    # full-resolution pixels are 1 um here, the picture has half of them; columns run leftwards
    wanted = np.stack([(rc[:, 0] + 0.5) * 112, 640 - (rc[:, 1] + 0.5) * 112], axis=1) / 2
    assert np.allclose(slide.spots.yx, wanted)
    assert slide.spots.ids[0] == "s_112um_00000_00000"


def test_microns_are_the_stored_ones(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd", mpp=0.5))
    assert (slide.mpp, slide.microns.source) == (pytest.approx(1.0), "stored")
    assert "microns_per_pixel" in slide.microns.detail
    assert not any("array of spots says" in note for note in slide.notes), "the squares say the same"


def test_without_stored_microns_the_squares_tell(tmp_path: Path) -> None:
    folder = make_hd(tmp_path / "hd", mpp=0.5)
    file = next(folder.rglob("scalefactors_json.json"))
    scales = json.loads(file.read_text())
    scales.pop("microns_per_pixel")
    file.write_text(json.dumps(scales))
    slide = open_slide(folder)
    assert (slide.mpp, slide.microns.source) == (pytest.approx(1.0), "fitted")


def test_squares_that_are_mostly_off_tissue_are_left_out(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd"))
    # bins 28 and 29 of 28..34 lie under tissue
    assert slide.spots.array_rc[:, 1].max() == 3


@pytest.mark.parametrize(("side", "size"), [(112.0, 16), (128.0, 16), (56.0, 8), (50.0, 2), (2.0, 2)])
def test_the_coarsest_bin_that_divides_the_square(side: float, size: int) -> None:
    assert choose_bin([2, 8, 16], side) == size


def test_squares_that_cannot_be_made() -> None:
    with pytest.raises(InputError, match="squares of 55 um cannot be made of bins of 8, 16 um"):
        choose_bin([16, 8], 55.0)


def test_another_side_of_the_squares(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd"), square_um=32.0)
    assert slide.spots.diameter_um == 32
    assert slide.counts().max() == 4


def test_bin_folders_are_found_from_anywhere(tmp_path: Path) -> None:
    make_hd(tmp_path / "hd", size=8)
    make_hd(tmp_path / "hd", size=16)
    outs = tmp_path / "hd" / "outs"
    for path in (tmp_path / "hd", outs, outs / "binned_outputs"):
        assert sorted(hd_bins(path)) == [8, 16]
    assert list(hd_bins(outs / "binned_outputs" / "square_008um")) == [8]
    assert hd_bins(tmp_path) == {}
    assert open_slide(outs / "binned_outputs" / "square_008um").kind == "Visium HD, bins of 8 um (Space Ranger)"


def test_slabs_give_the_same_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_hd(tmp_path / "hd")
    at_once = open_slide(folder).counts()
    monkeypatch.setattr(tenx, "SLAB_VALUES", 37)
    assert (open_slide(folder).counts() != at_once).nnz == 0


def test_bins_without_a_position(tmp_path: Path) -> None:
    folder = make_hd(tmp_path / "hd")
    part = next(folder.rglob("square_016um"))
    names = ["s_016um_00000_00000-1", "nowhere-1"]
    (part / "filtered_feature_bc_matrix.h5").unlink()
    write_h5_counts(part / "filtered_feature_bc_matrix.h5", np.array([[3], [5]]), names, ["G"])
    slide = open_slide(folder)
    assert "1 bins without a position are left out" in slide.notes
    assert slide.counts().toarray().tolist() == [[3]]
    (part / "filtered_feature_bc_matrix.h5").unlink()
    write_h5_counts(part / "filtered_feature_bc_matrix.h5", np.array([[5]]), ["nowhere-1"], ["G"])
    with pytest.raises(InputError, match="no spot of the counts"):
        open_slide(folder)


@pytest.mark.parametrize(
    "name", ["filtered_feature_bc_matrix.h5", "tissue_positions.parquet", "scalefactors_json.json"]
)
def test_truncated_files(tmp_path: Path, name: str) -> None:
    folder = make_hd(tmp_path / "hd")
    cut(next(folder.rglob(name)), 0.5)
    with pytest.raises(InputError, match=f"{name}' cannot be read"):
        open_slide(folder)


def test_real_layouts(shared: Path) -> None:
    seurat = open_slide(shared / "layouts" / "visium_hd_seurat")
    assert seurat.mpp == pytest.approx(0.27376126715315274 / 0.25404352)
    assert seurat.microns.source == "stored"
    fine = open_slide(shared / "layouts" / "visium_hd_seurat" / "binned_outputs" / "square_008um")
    assert fine.counts().sum() == pytest.approx(70186)
    tiny = open_slide(shared / "layouts" / "visium_hd_visiumio" / "binned_outputs" / "square_002um")
    assert (len(tiny.spots), len(tiny.genes)) == (10, 10)


def test_a_folder_with_blanks_in_its_name(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "mouse brain (HD)"))
    assert (slide.name, slide.shapes_name, slide.image_name) == (
        "mouse brain (HD)",
        "mouse_brain__HD_",
        "mouse_brain__HD__hires_image",
    )
    assert len(slide.spots) == 16


def test_bins_on_a_line_have_no_squares(tmp_path: Path) -> None:
    folder = make_hd(tmp_path / "hd")
    file = next(folder.rglob("tissue_positions.parquet"))
    frame = pd.read_parquet(file)
    frame.assign(array_row=0).to_parquet(file)
    with pytest.raises(InputError, match=r"the bins of '.*tissue_positions\.parquet' lie on a line"):
        open_slide(folder)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    folder = make_hd(tmp_path / "hd")
    picture = next(folder.rglob("tissue_hires_image.png"))
    picture.rename(picture.with_name("tissue_lowres_image.png"))
    scales = next(folder.rglob("scalefactors_json.json"))
    scales.write_text(json.dumps({**json.loads(scales.read_text()), "tissue_lowres_scalef": 0.5}))
    assert any("'tissue_lowres_image.png' is used" in note for note in open_slide(folder).notes)
    picture.with_name("tissue_lowres_image.png").unlink()
    with pytest.raises(InputError, match=r"has no tissue_hires_image\.png / pass --image FILE"):
        open_slide(folder)
