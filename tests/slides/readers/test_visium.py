from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.slides.inputs import cut, make_space_ranger, write_h5_counts
from tests.slides.stores import tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.visium import COLUMNS, read_positions, read_scales, sample_name, visium_folder


@pytest.mark.parametrize("header", [False, True], ids=["v1", "v2"])
@pytest.mark.parametrize("mtx", [False, True], ids=["h5", "mtx"])
def test_versions_and_kinds_of_counts(tmp_path: Path, header: bool, mtx: bool) -> None:
    folder = make_space_ranger(tmp_path / "sample", header=header, mtx=mtx)
    slide = open_slide(folder)
    assert (slide.name, slide.kind) == ("sample", "Visium (Space Ranger)")
    assert slide.spots.ids[:2].tolist() == ["BC00-1", "BC01-1"]
    assert np.allclose(slide.spots.yx, tiny_positions(mpp=2.5)[1])
    assert np.array_equal(slide.spots.array_rc, tiny_positions()[0])
    assert slide.spots.diameter_um == 55
    assert (slide.mpp, slide.microns.source) == (pytest.approx(2.5), "fitted")
    wanted = np.random.default_rng(0).poisson(3, (63, 7))
    assert np.array_equal(slide.counts().toarray(), wanted)
    assert slide.genes == [f"GENE{i}" for i in range(7)]
    assert any("'tissue_hires_image.png' is used; pass --image" in note for note in slide.notes)


def test_folders_and_names(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample")
    assert visium_folder(folder) == visium_folder(folder / "outs") == folder / "outs"
    assert visium_folder(tmp_path) is None
    assert sample_name(folder / "outs") == sample_name(folder) == "sample"


def test_spots_off_tissue_of_a_raw_matrix_are_left_out(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample", header=True)
    file = folder / "outs" / "spatial" / "tissue_positions.csv"
    frame = pd.read_csv(file)
    frame.loc[10:, "in_tissue"] = 0
    frame.to_csv(file, index=False)
    slide = open_slide(folder)
    assert len(slide.spots) == slide.counts().shape[0] == 10
    assert "53 spots that are not under tissue are left out" in slide.notes


def test_the_spot_diameter_never_gives_microns(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample")
    file = folder / "outs" / "spatial" / "scalefactors_json.json"
    before = open_slide(folder).mpp
    file.write_text(json.dumps({**json.loads(file.read_text()), "spot_diameter_fullres": 7.0}))
    assert open_slide(folder).mpp == before


def test_cytassist_is_told_apart(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample", header=True)
    file = folder / "outs" / "spatial" / "scalefactors_json.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "regist_target_img_scalef": 0.2}))
    assert open_slide(folder).kind == "Visium CytAssist (Space Ranger)"


def test_counts_and_positions_of_two_samples(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample")
    outs = folder / "outs"
    (outs / "filtered_feature_bc_matrix.h5").unlink()
    write_h5_counts(outs / "filtered_feature_bc_matrix.h5", np.ones((2, 1)), ["XX-1", "YY-1"], ["G"])
    with pytest.raises(InputError, match=r"no spot of the counts .* \(first: 'XX-1'\) .* \(first: 'BC00-1'\)"):
        open_slide(folder)
    (outs / "filtered_feature_bc_matrix.h5").unlink()
    write_h5_counts(outs / "filtered_feature_bc_matrix.h5", np.ones((2, 1)), ["BC01-1", "YY-1"], ["G"])
    with pytest.raises(InputError, match=r"1 of 2 barcodes .* have no position in .*, first 'YY-1'"):
        open_slide(folder)


def test_truncated_counts(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample")
    cut(folder / "outs" / "filtered_feature_bc_matrix.h5")
    with pytest.raises(
        InputError, match=r"filtered_feature_bc_matrix.h5' cannot be read: .*truncated.* / it may be cut off"
    ):
        open_slide(folder)


def test_missing_parts(tmp_path: Path) -> None:
    folder = make_space_ranger(tmp_path / "sample")
    spatial = folder / "outs" / "spatial"
    (spatial / "tissue_hires_image.png").unlink()
    with pytest.raises(InputError, match=r"has neither tissue_hires_image.png nor .* / pass --image FILE"):
        open_slide(folder)
    scales = json.loads((spatial / "scalefactors_json.json").read_text())
    scales.pop("tissue_hires_scalef")
    (spatial / "scalefactors_json.json").write_text(json.dumps(scales))
    with pytest.raises(InputError, match=r"scalefactors_json.json' lacks tissue_hires_scalef|cannot be read"):
        open_slide(folder)
    (folder / "outs" / "filtered_feature_bc_matrix.h5").unlink()
    with pytest.raises(InputError, match="has no counts"):
        open_slide(folder)


def test_positions_with_other_columns(tmp_path: Path) -> None:
    file = tmp_path / "tissue_positions.csv"
    file.write_text("barcode,in_tissue,array_row\nA,1,2\n")
    with pytest.raises(InputError, match="lacks the columns array_col, pxl_row_in_fullres, pxl_col_in_fullres"):
        read_positions(file)


def test_real_samples(shared: Path) -> None:
    crc = open_slide(shared / "visium-crc16" / "outs")
    assert (crc.name, len(crc.spots), len(crc.genes)) == ("visium-crc16", 3106, 36601)
    assert np.median(np.asarray(crc.counts().sum(axis=1))) == 748
    mouse = open_slide(shared / "layouts" / "visium_v2_cytassist")
    assert (mouse.kind, len(mouse.genes)) == ("Visium CytAssist (Space Ranger)", 19465)


def test_a_folder_with_blanks_and_brackets_in_its_name(tmp_path: Path) -> None:
    slide = open_slide(make_space_ranger(tmp_path / "Patient 3 (links)"))
    assert (slide.name, slide.shapes_name) == ("Patient 3 (links)", "Patient_3__links_")
    assert slide.mpp == pytest.approx(2.5)
    full = open_slide(slide.path, image=slide.path / "frame.tif")
    assert full.image_name == "Patient_3__links__full_image"
    assert full.pyramid.shape == (1200, 1600)
    assert np.allclose(full.spots.yx, slide.spots.yx * 4)


@pytest.mark.parametrize("key", ["tissue_hires_scalef", "tissue_lowres_scalef", "microns_per_pixel"])
@pytest.mark.parametrize("size", [0, -0.2, "big", None, float("nan")])
def test_sizes_that_cannot_be_are_refused(tmp_path: Path, key: str, size: object) -> None:
    scales = {"tissue_hires_scalef": 0.2, "tissue_lowres_scalef": 0.1, key: size}
    (tmp_path / "scalefactors_json.json").write_text(json.dumps(scales))
    with pytest.raises(InputError, match=rf"json' has a size that cannot be: {key} = {size} / copy the file again"):
        read_scales(tmp_path)


def test_positions_with_and_without_a_header_are_the_same(tmp_path: Path) -> None:
    row = "AAC-1,1,3,4,500.5,600.5\n"
    (tmp_path / "a.csv").write_text(row)
    (tmp_path / "b.csv").write_text(f"{','.join(COLUMNS)}\n{row}")
    first, second = read_positions(tmp_path / "a.csv"), read_positions(tmp_path / "b.csv")
    pd.testing.assert_frame_equal(first, second)
    assert first.loc["AAC-1", "pxl_col_in_fullres"] == 600.5
