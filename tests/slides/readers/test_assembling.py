from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spatialdata import read_zarr
from tests.slides.inputs import make_hd, make_space_ranger
from tests.slides.stores import tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import KEY, SlideFacts
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.assembling import make_slide
from napari_c2lst.slides.readers.choosing import choose_elements
from napari_c2lst.slides.readers.reading import Reading
from napari_c2lst.slides.slide import Slide


def changed(store: Path, change, mpp: float | None = None) -> Slide:
    """The slide of a store after a change of its SpatialData; nothing is written."""
    sdata = read_zarr(store)
    change(sdata)
    facts = SlideFacts.of_attrs(sdata.attrs).model_copy(update={"name": "changed"})
    choice = choose_elements(sdata, "slide 'changed'")
    return make_slide(store, Reading(sdata, facts, is_zarr=True), choice, mpp)


def test_given_microns_come_before_all_others(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once, mpp=0.9)
    assert (slide.mpp, slide.microns.source) == (0.9, "given")
    assert slide.spots.diameter_um == pytest.approx(2 * 27.5 / 2.5 * 0.9)


def test_stored_microns_come_before_fitted_ones_and_a_difference_is_told(tiny_store_once: Path) -> None:
    def store(sdata) -> None:
        sdata.attrs[KEY] = {"microns_per_unit": {"global": 2.0}, "microns_detail": "measured"}

    slide = changed(tiny_store_once, store)
    assert (slide.mpp, slide.microns.source, slide.microns.detail) == (2.0, "stored", "measured")
    assert any("2 um per pixel are stored, but the array of spots says 2.5" in note for note in slide.notes)


def test_stored_and_fitted_microns_that_agree_need_no_note(tiny_store_once: Path) -> None:
    def store(sdata) -> None:
        sdata.attrs[KEY] = {"microns_per_unit": {"global": 2.52}}

    slide = changed(tiny_store_once, store)
    assert slide.mpp == 2.52
    assert slide.notes == ()


def test_a_coordinate_system_in_microns(tiny_store_once: Path) -> None:
    from spatialdata.transformations import Scale, set_transformation

    def store(sdata) -> None:
        set_transformation(sdata.images["tiny_full_image"], Scale([0.4, 0.4], axes=("y", "x")), "microns")
        del sdata.tables["table"].obs["array_row"]

    slide = changed(tiny_store_once, store)
    assert (slide.mpp, slide.microns.source) == (pytest.approx(0.4), "stored")
    assert "'microns'" in slide.microns.detail


def test_without_array_coordinates_microns_are_asked_for(tiny_store_once: Path) -> None:
    def store(sdata) -> None:
        sdata.tables["table"].obs.drop(columns=["array_row", "array_col"], inplace=True)

    slide = changed(tiny_store_once, store)
    assert slide.microns is None
    assert slide.spots.diameter_um is None
    with pytest.raises(
        InputError, match=r"slide 'changed' has no microns per pixel / pass --mpp, for example --mpp 0.5"
    ):
        _ = slide.mpp
    assert changed(tiny_store_once, store, mpp=0.5).mpp == 0.5


def test_spots_outside_the_image(tiny_store_once: Path) -> None:
    from spatialdata.transformations import Scale, set_transformation

    def store(sdata) -> None:
        set_transformation(sdata.shapes["tiny"], Scale([2.0, 2.0], axes=("y", "x")), "global")

    with pytest.raises(InputError) as caught:
        changed(tiny_store_once, store)
    outside = int((tiny_positions()[1] * 2 > [300, 400]).any(axis=1).sum())
    assert f"{outside} of 63 spots of slide 'changed' lie outside the image" in caught.value.message
    assert "'tiny_full_image' (300 x 400 px), first 'S0x10' at y = 50, x = 450" in caught.value.message
    assert "--image-scale" in caught.value.hint


def test_table_and_spots_that_do_not_match(tiny_store_once: Path) -> None:
    def store(sdata) -> None:
        sdata.shapes["tiny"] = sdata.shapes["tiny"].iloc[5:]

    with pytest.raises(
        InputError, match="table 'table' and spots 'tiny' of slide 'changed' do not match: 5 of 63 rows"
    ):
        changed(tiny_store_once, store)


def test_spots_and_counts_go_by_name_not_by_place(tiny_store_once: Path) -> None:
    before = open_slide(tiny_store_once)

    def store(sdata) -> None:
        order = np.random.default_rng(0).permutation(63)
        sdata.shapes["tiny"] = sdata.shapes["tiny"].iloc[order]
        table = sdata.tables.pop("table")
        sdata.tables["table"] = table[np.roll(np.arange(63), 7)].copy()

    after = changed(tiny_store_once, store)
    assert sorted(after.spots.ids) == sorted(before.spots.ids)
    place = {name: i for i, name in enumerate(before.spots.ids)}
    same = [place[name] for name in after.spots.ids]
    assert np.allclose(after.spots.yx, before.spots.yx[same])
    assert np.array_equal(after.counts().toarray(), before.counts().toarray()[same])


def test_pixels_of_another_image_of_the_same_slide(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "visium")
    fine = open_slide(ranger, image=ranger / "frame.tif")
    coarse = open_slide(ranger, image=ranger / "frame.tif", image_name="visium_hires_image")
    assert fine.image_name == "visium_full_image"
    assert np.allclose(fine.spots.yx, tiny_positions(mpp=0.625)[1])
    assert np.allclose(coarse.spots.yx, fine.spots.yx / 4)
    assert coarse.mpp == pytest.approx(4 * fine.mpp)
    assert fine.mpp == pytest.approx(0.625)
    assert fine.spots.diameter_um == coarse.spots.diameter_um == 55


def test_squares_beyond_the_picture_are_left_out(tmp_path: Path) -> None:
    from PIL import Image

    hd = make_hd(tmp_path / "hd")
    assert len(open_slide(hd).spots) == 4 * 4
    file = next(hd.rglob("tissue_hires_image.png"))
    Image.open(file).crop((0, 0, 200, 240)).save(file)
    slide = open_slide(hd)
    # 200 x 240 pixels of half the resolution hold the centres of 4 x 2 of the squares that begin 160 um from the left
    assert len(slide.spots) == 4 * 2
    assert "12 squares outside the image are left out" in slide.notes
    assert slide.counts().shape[0] == len(slide.spots) == len(slide.spots.array_rc)
