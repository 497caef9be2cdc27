from __future__ import annotations

import pytest

from napari_c2lst.slides.facts import KEY, SlideFacts
from napari_c2lst.slides.microns import ARRAYS, SQUARES, VISIUM


def test_facts_survive_json() -> None:
    facts = SlideFacts(kind="Visium", name="a", array="Visium", microns_per_unit={"global": 0.5}, source="/x")
    assert SlideFacts.of_attrs({KEY: facts.model_dump(mode="json")}) == facts
    assert facts.known_array is VISIUM


def test_stores_of_others_have_no_facts() -> None:
    assert SlideFacts.of_attrs({}) == SlideFacts()
    assert SlideFacts.of_attrs(None) == SlideFacts()
    assert SlideFacts.of_attrs({KEY: "text"}) == SlideFacts()
    assert SlideFacts().known_array is None


def test_facts_of_a_newer_version_are_read_as_far_as_known() -> None:
    assert SlideFacts.of_attrs({KEY: {"version": 9, "name": "a", "mood": "good"}}).name == "a"


def test_squares_are_an_array_of_their_own_pitch() -> None:
    array = SlideFacts(array=SQUARES, spot_um=112).known_array
    assert array is not None
    assert (array.row_um, array.column_um, array.spot_um) == (112, 112, 112)
    assert SlideFacts(array=SQUARES).known_array is None


def test_how_a_slide_was_opened_survives_json() -> None:
    facts = SlideFacts(opened={"table": "a", "image_scale": 0.5})
    assert SlideFacts.of_attrs({KEY: facts.model_dump(mode="json")}).opened == {"table": "a", "image_scale": 0.5}
    assert SlideFacts.of_attrs({KEY: {"name": "of an earlier version"}}).opened == {}


@pytest.mark.parametrize("body", [{"version": "new"}, {"microns_per_unit": {"global": "wide"}}, {"opened": 3}])
def test_facts_that_make_no_sense_are_none(body: dict[str, object]) -> None:
    assert SlideFacts.of_attrs({KEY: {"name": "a", **body}}) == SlideFacts()


def test_an_array_nobody_knows_is_none() -> None:
    assert SlideFacts(array="hexagons").known_array is None
    assert all(SlideFacts(array=name).known_array is array for name, array in ARRAYS.items())
