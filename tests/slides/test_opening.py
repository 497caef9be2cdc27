from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import make_hd, make_hest, make_space_ranger, picture, write_png, write_tiff
from tests.slides.stores import make_tiny_legacy, tiny_counts, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images import whole_images
from napari_c2lst.slides.opening import find_reader, open_slide


@pytest.fixture(autouse=True)
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this file needs a pixel of a JPEG or PNG: opening decodes none."""

    def refuse(self: object) -> None:
        raise AssertionError("a picture was decoded on opening")

    monkeypatch.setattr(whole_images._Picture, "_decode", refuse)


def test_a_store(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    rc, yx = tiny_positions()
    assert (slide.name, slide.is_zarr, slide.kind) == ("tiny", True, "SpatialData store")
    assert (slide.image_name, slide.shapes_name, slide.table_name) == ("tiny_full_image", "tiny", "table")
    assert np.allclose(slide.spots.yx, yx)
    assert np.array_equal(slide.spots.array_rc, rc)
    assert np.array_equal(slide.counts().toarray(), tiny_counts(rc))
    assert slide.mpp == pytest.approx(2.5)
    assert slide.microns.source == "fitted"


def test_every_kind_is_found_by_its_files(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "visium")
    hd = make_hd(tmp_path / "hd")
    hest = make_hest(tmp_path / "hest")
    legacy = make_tiny_legacy(tmp_path / "legacy")
    wanted = {
        ranger: "read_visium",
        ranger / "outs": "read_visium",
        ranger / "frame.tif": "read_image_alone",
        hd: "read_visium_hd",
        hd / "outs": "read_visium_hd",
        hd / "outs" / "binned_outputs" / "square_016um": "read_visium_hd",
        hest: "read_hest",
        hest / "st" / "TOY1.h5ad": "read_hest",
        legacy: "read_legacy_st",
        legacy / "T1.tsv": "read_legacy_st",
        legacy / "T1": "read_legacy_st",
        legacy / "T1_HE.jpg": "read_image_alone",
    }
    assert {path: find_reader(path).__name__ for path in wanted} == wanted


def test_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no '.*/nowhere.svs' / check the path"):
        open_slide(tmp_path / "nowhere.svs")


def test_not_a_slide(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_text("x")
    with pytest.raises(InputError, match=r"'.*notes.docx' is not a slide") as caught:
        open_slide(tmp_path / "notes.docx")
    assert "Space Ranger" in caught.value.hint
    with pytest.raises(InputError, match="is not a slide"):
        open_slide(tmp_path)


def test_a_folder_of_slides_names_them(tmp_path: Path) -> None:
    make_tiny_legacy(tmp_path / "a")
    make_tiny_legacy(tmp_path / "b")
    with pytest.raises(InputError, match=r"is a folder that holds 2 slides: a, b / open one: .*/a"):
        open_slide(tmp_path)


@pytest.mark.parametrize("mpp", [0.0, -1.0, 5000.0])
def test_impossible_microns(tiny_store_once: Path, mpp: float) -> None:
    with pytest.raises(InputError, match=r"microns per pixel cannot be / give between 0.01 and 100 um per pixel"):
        open_slide(tiny_store_once, mpp=mpp)


def test_names_reach_the_choice(tiny_store_once: Path) -> None:
    for name in ("image_name", "table", "coordinate_system"):
        with pytest.raises(InputError, match=r"has no .* 'wrong'"):
            open_slide(tiny_store_once, **{name: "wrong"})


def test_an_image_for_a_store_that_has_none_of_full_resolution(tiny_store_once: Path, tmp_path: Path) -> None:
    file = write_tiff(tmp_path / "fine.tif", np.kron(picture(), np.ones((2, 2, 1), np.uint8)))
    slide = open_slide(tiny_store_once, image=file)
    assert slide.image_name == "tiny_full_image"
    assert slide.pyramid.shape == (600, 800)
    assert slide.mpp == pytest.approx(1.25)
    assert np.allclose(slide.spots.yx, tiny_positions()[1] * 2)


def test_every_real_layout_opens(shared: Path) -> None:
    layouts = shared / "layouts"
    spots = {
        "visium_v1_scanpy": 100,
        "visium_v2_cytassist": 2898,
        "visium_hd_seurat": 304,
        "visium_hd_visiumio": 10,
        "spatialdata_zarr_v2/blobs.zarr": None,
        "spatialdata_zarr_v3/blobs_v3.zarr": None,
    }
    for name, count in spots.items():
        slide = open_slide(layouts / name)
        assert (None if slide.spots is None else len(slide.spots)) == count, name
        if count:
            assert slide.microns is not None, name
            inside = (slide.spots.yx >= 0) & (slide.spots.yx <= slide.pyramid.shape)
            assert inside.all(), name
            assert slide.counts().shape == (count, len(slide.genes)), name


def test_real_legacy_sections(shared: Path) -> None:
    slide = open_slide(shared / "her2st" / "B4")
    assert (len(slide.spots), len(slide.genes)) == (283, 15289)
    assert slide.pyramid.shape == (9923, 9272)
    assert np.median(np.asarray(slide.counts().sum(axis=1))) == 648
    with pytest.raises(InputError, match="holds 3 sections: MOB1, MOB2, MOB3"):
        open_slide(shared / "st2k-mob")
    for path in ("MOB2", "MOB2.tsv.gz"):
        assert len(open_slide(shared / "st2k-mob" / path).spots) == 407
    assert open_slide(shared / "st2k-mob" / "MOB2.jpg").spots is None


def test_a_folder_with_one_slide_says_which(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    make_tiny_legacy(tmp_path / "data" / "only")
    with pytest.raises(InputError, match=r"is a folder that holds one slide: only / open it: .*only"):
        open_slide(tmp_path / "data")


def test_a_folder_of_images_says_to_open_one(tmp_path: Path) -> None:
    for number in range(11):
        write_png(tmp_path / f"tile{number:02}.png", picture())
    with pytest.raises(
        InputError, match=r"holds 11 images: tile00.png, .*, tile07.png and 3 more / open one"
    ) as caught:
        open_slide(tmp_path)
    assert "tile00.png; or give a SpatialData .zarr" in caught.value.hint
