from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import picture, write_png

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Microns, Slide, Spots


def test_counts_and_genes_are_taken_once(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    assert slide.counts() is slide.counts()
    assert slide.genes is slide.genes
    assert slide.counts().shape == (len(slide.spots), len(slide.genes)) == (63, 40)
    assert slide.genes[:2] == ["GENE00", "GENE01"]


def test_an_image_alone_has_neither(tmp_path: Path) -> None:
    slide = open_slide(write_png(tmp_path / "a.png", picture()))
    for ask in (slide.require_spots, slide.counts, lambda: slide.genes):
        with pytest.raises(InputError, match=r"slide 'a' has no spots: it was read as image alone \(png\)"):
            ask()
    with pytest.raises(InputError, match="slide 'a' has no microns per pixel / pass --mpp, for example"):
        _ = slide.mpp


@pytest.mark.parametrize(
    ("value", "text"), [(-1.0, "1 negative values"), (np.nan, "1 values that are NaN"), (0.5, "already normalised")]
)
def test_counts_that_are_not_raw(tiny_store_once: Path, value: float, text: str) -> None:
    slide = open_slide(tiny_store_once)
    table = slide.sdata.tables["table"]
    table.X = table.X.astype(np.float64)
    table.X.data[5] = value
    with pytest.raises(InputError, match=f"table 'table' of slide 'tiny' .*{text}"):
        slide.counts()


def test_slides_are_compared_by_identity_and_frozen(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    assert slide == slide
    assert slide != open_slide(tiny_store_once)
    with pytest.raises(AttributeError):
        slide.name = "other"  # type: ignore[misc]


def test_length_of_spots() -> None:
    assert len(Spots(np.array(["a", "b"]), np.zeros((2, 2)))) == 2


def test_counts_belong_to_their_spots(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    table = slide.sdata.tables["table"]
    assert slide.rows is not None
    np.testing.assert_array_equal(slide.counts().toarray(), table.X.toarray()[slide.rows])
    assert slide.counts().dtype == np.float32
    assert slide.genes == list(table.var_names)


def test_microns_say_where_they_come_from(tiny_store_once: Path) -> None:
    fitted, given = open_slide(tiny_store_once), open_slide(tiny_store_once, mpp=0.5)
    assert fitted.microns is not None
    assert given.microns is not None
    assert (fitted.microns.source, given.microns.source) == ("fitted", "given")
    assert given.mpp == 0.5
    assert fitted.mpp == pytest.approx(2.5)


def test_spots_are_named_once_and_lie_in_the_image(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    spots = slide.require_spots()
    assert len(set(spots.ids)) == len(spots)
    assert spots.yx.shape == (len(spots), 2)
    assert (spots.yx >= 0).all()
    assert (spots.yx <= slide.pyramid.shape).all()


def bare(**parts: object) -> Slide:
    """A slide of nothing but what a test gives it."""
    names = {"image_name": "i", "shapes_name": None, "table_name": None, "coordinate_system": "global"}
    rest = {"sdata": None, "pyramid": None, "microns": None, "spots": None, "is_zarr": False}
    return Slide(**{"name": "a", "path": Path("a.png"), "kind": "image alone", **names, **rest, **parts})  # type: ignore[arg-type]


def test_a_slide_of_an_image_says_what_it_was_read_as() -> None:
    with pytest.raises(InputError, match="slide 'a' has no spots: it was read as image alone") as caught:
        bare().require_spots()
    assert "c2lst info --help" in caught.value.hint


def test_counts_are_not_looked_at_before_the_spots_are_there() -> None:
    for ask in (lambda slide: slide.counts(), lambda slide: slide.genes):
        with pytest.raises(InputError, match="has no spots"):
            ask(bare(table_name="table"))


def test_microns_are_those_that_were_found() -> None:
    assert bare(microns=Microns(0.25, "stored", "tags")).mpp == 0.25
    with pytest.raises(InputError, match="no microns per pixel") as caught:
        _ = bare().mpp
    assert "--mpp" in caught.value.hint
