"""Colours and lines of sets, from whatever a store says of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.layers.choices import SET_COLOURS
from napari_c2lst.plugin.selecting import named
from napari_c2lst.plugin.selecting.choice import Choice, How, Step
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

IDS = np.array(["a", "b", "c"])


def a_set(name: str, colour: Any = None, chosen: tuple[int, ...] = (0,)) -> SpotSet:
    mask = np.isin(np.arange(3), chosen)
    return SpotSet.of(name, IDS, mask, {} if colour is None else {named.COLOUR: colour})


@pytest.mark.parametrize("colour", [[0, 114, 178], {"r": 1}, 7, "", "blue", "#12", "red; drop table"])
def test_a_colour_that_is_none_of_ours_is_replaced_by_one(colour: Any) -> None:
    """A store may come from another program, or have been changed by hand."""
    assert named.colours_of({"x": a_set("x", colour)}) == {"x": SET_COLOURS[0]}


def test_a_colour_in_capitals_is_the_same_colour() -> None:
    assert named.colours_of({"x": a_set("x", SET_COLOURS[2].upper())}) == {"x": SET_COLOURS[2]}


def test_colours_stay_when_another_set_goes() -> None:
    sets = {name: a_set(name, SET_COLOURS[i]) for i, name in enumerate("abc")}
    before = named.colours_of(sets)
    del sets["a"]
    after = named.colours_of(sets)
    assert after == {name: before[name] for name in "bc"}
    assert named.next_colour(after.values()) == SET_COLOURS[0]  # the one that is free again


def test_more_sets_than_colours_take_turns() -> None:
    taken: list[str] = []
    for _ in range(2 * len(SET_COLOURS)):
        taken.append(named.next_colour(taken))
    assert taken == [*SET_COLOURS, *SET_COLOURS]
    assert named.next_colour(["#ffffff"]) == SET_COLOURS[0]


def test_lines_of_a_set_that_is_empty_or_whole(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.open(make_slide())
    session.sets = {"none": a_set("none", chosen=()), "all": a_set("all", chosen=(0, 1, 2))}
    none, whole = named.set_lines(session)
    assert (none.spots, none.share, none.held_out) == (0, 0.0, 3)
    assert (whole.spots, whole.share, whole.held_out) == (3, 1.0, 0)
    assert whole.words == "all: 3 spots (100.0 %), 0 held out, 0 left out, not saved yet"
    assert named.set_lines(Session()) == []


def test_nothing_is_stored_in_what_is_no_store(make_slide: Callable[..., Slide]) -> None:
    assert not named.is_stored(None, a_set("x"))
    assert not named.is_stored(make_slide(is_zarr=False), a_set("x"))
    assert not named.is_stored(make_slide(sdata=None), a_set("x"))


def test_free_names_skip_what_is_taken() -> None:
    assert named.free_name({}) == "train"
    assert named.free_name(["train"]) == "train-2"
    assert named.free_name(["train-2"]) == "train"
    assert named.free_name(["x", "x-2"], "x") == "x-3"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [(0, "0 of 2,000 spots (0.0 %), 2,000 held out"), (2000, "2,000 of 2,000 spots (100.0 %), 0 held out")],
)
def test_counts_at_both_ends(chosen: int, said: str) -> None:
    choice = Choice(2000)
    choice.apply(Step(How.ADD, np.arange(2000) < chosen, "lasso"))
    assert named.counted(choice) == said


def test_a_set_that_is_being_written_says_so(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.slide = make_slide()
    session.sets["mine"] = SpotSet.of("mine", session.slide.require_spots().ids, np.array([True, False, False]), {})
    assert named.set_lines(session)[0].kept == "not saved"
    session.saving = "mine"
    line = named.set_lines(session)[0]
    assert line.kept == "saving …"
    assert line.words.endswith("being saved")
    assert dataclasses.replace(line, saving=False, stored=True).kept == "saved"
