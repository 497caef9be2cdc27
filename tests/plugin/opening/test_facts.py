from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pytest

from napari_c2lst.plugin.opening.facts import choices_of, microns_words, notes_words, store_words, summary
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


@pytest.mark.parametrize(
    ("note", "read"),
    [
        ("2 of 9 chunks are missing; was the copy complete?", "• 2 of 9 chunks are missing; was the copy complete?"),
        ("image 'a' is used", "• Image 'a' is used."),
        ("0.5 um per pixel are stored; pass --mpp to choose", "• 0.5 µm per pixel are stored; correct “Pixel size” if"),
    ],
)
def test_each_note_is_one_sentence(make_slide: Callable[..., Slide], note: str, read: str) -> None:
    words = notes_words(make_slide(notes=(note, "x is left out")))
    first, second = words.splitlines()
    assert first.startswith(read)
    assert not first.endswith("?.")
    assert second == "• x is left out."


def test_a_slide_without_notes_says_none(make_slide: Callable[..., Slide]) -> None:
    assert notes_words(make_slide()) == ""


def test_size_is_in_pixels_while_microns_are_not_known(make_slide: Callable[..., Slide]) -> None:
    assert summary(make_slide(microns=None, spots=None)) == "a test\n600 × 400 px; no spots"
    assert summary(make_slide(spots=None)).splitlines()[1] == "600 × 400 px, 0.3 × 0.2 mm; no spots"


def test_what_a_folder_becomes_is_said_before_it_is_made(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    said = store_words(make_slide(is_zarr=False, path=tmp_path / "Sample 1" / "outs"))
    assert said.startswith("Nothing is changed in this input.")
    assert said.count(".zarr”") == 1


def test_names_of_ours_are_not_offered(make_slide: Callable[..., Slide]) -> None:
    """Pictures and tables that steps have written are no inputs."""
    tables = {
        name: SimpleNamespace(uns={"spatialdata_attrs": {"region": "spots"}}) for name in ("table", "c2lst_set_a")
    }
    tables["loose"] = SimpleNamespace(uns={})
    sdata = SimpleNamespace(images={}, shapes={}, tables=tables)
    assert choices_of(make_slide(sdata=sdata)).tables == []  # its spots are not there
    whole = SimpleNamespace(images={}, shapes={"spots": gpd.GeoDataFrame()}, tables=tables)
    found = choices_of(make_slide(sdata=whole, shapes_name=None))
    assert (found.tables, found.images, found.systems, found.square_um) == (["table"], [], [], None)
