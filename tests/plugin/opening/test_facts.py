from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_c2lst.plugin.opening.facts import choices_of, in_panel, microns_words, notes_words, store_words, summary
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture(scope="module")
def blobs() -> Callable[[Path], Slide]:
    return lambda shared: open_slide(shared / "layouts" / "spatialdata_zarr_v3" / "blobs_v3.zarr")


def test_what_a_slide_is(shared: Path) -> None:
    slide = open_slide(shared / "her2st" / "B4")
    assert summary(slide).splitlines()[1:] == ["9,272 × 9,923 px, 6.4 × 6.8 mm", "283 spots, 15,289 genes"]
    assert microns_words(slide) == "Worked out from the array of spots: least squares on the ST 1k array, 283 spots."
    assert "“B4.zarr”" in store_words(slide)
    assert choices_of(slide).square_um is None


def test_an_image_alone(shared: Path) -> None:
    slide = open_slide(shared / "hne-wsi" / "CMU-1-Small-Region.svs")
    assert summary(slide).endswith("no spots")
    assert microns_words(slide).startswith("Stored in the slide: ")


def test_without_microns_the_next_action_is_said(make_slide: Callable[..., Slide]) -> None:
    assert "Give it to go on" in microns_words(make_slide(microns=None))
    assert microns_words(make_slide()) == "Given by you."
    assert store_words(make_slide()) == ""


def test_images_and_systems_to_choose_from(shared: Path) -> None:
    slide = open_slide(shared / "layouts" / "visium_hd_seurat")
    choices = choices_of(slide)
    assert slide.image_name in choices.images
    assert len(choices.images) == 2
    assert slide.coordinate_system in choices.systems
    assert choices.square_um == 112


def test_notes_speak_of_the_panel_and_not_of_options(shared: Path) -> None:
    words = notes_words(open_slide(shared / "layouts" / "visium_hd_seurat"))
    assert "--image" not in words
    assert "“Use another image file …”" in words
    assert all(line.startswith("• ") and line.endswith(".") for line in words.splitlines())
    assert in_panel("0.5 um per pixel are stored; pass --mpp to choose").endswith("correct “Pixel size” if it is wrong")
