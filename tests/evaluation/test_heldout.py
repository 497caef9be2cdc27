from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_c2lst.evaluation.heldout import HeldOut, held_out_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.splitting import overlapping_spots
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, write_spot_set


def overlap(slide: Slide, training: np.ndarray, patch_um: float = 112.0) -> np.ndarray:
    return overlapping_spots(slide.require_spots().yx * slide.mpp, training, patch_um)


def test_a_random_split_scores_every_other_spot_and_says_that_it_flatters(slide: Slide) -> None:
    spots = read_spot_set(slide, "train")
    held = held_out_of(slide, spots.mask, 112.0)
    assert (held.split, held.seed, held.spot_set) == ("random", 0, "train")
    np.testing.assert_array_equal(held.test, ~spots.mask)
    assert held.overlapping.sum() > 0  # 112 um patches at a 100 um pitch
    assert "flatters" in held.notes()[0]
    assert str(int(held.overlapping.sum())) in held.notes()[0]


def test_a_blocked_split_leaves_the_buffer_out_of_the_score(slide: Slide) -> None:
    spots = read_spot_set(slide, "blocked")
    held = held_out_of(slide, spots.mask, 112.0)
    assert held.split == "blocked"
    np.testing.assert_array_equal(held.left_out, spots.left_out)
    assert not (held.test & overlap(slide, spots.mask)).any()
    assert not (held.test & held.training).any()
    assert held.notes() == []


def test_larger_patches_need_a_larger_buffer_than_the_one_stored(slide: Slide) -> None:
    spots = read_spot_set(slide, "blocked")
    held = held_out_of(slide, spots.mask, 224.0)
    assert held.left_out.sum() > spots.left_out.sum()
    assert not (held.test & overlap(slide, spots.mask, 224.0)).any()


def test_spots_chosen_otherwise(store: Path) -> None:
    slide = open_slide(store)
    ids = slide.require_spots().ids
    mask, low = np.arange(len(ids)) < 20, np.arange(len(ids)) > 55
    write_spot_set(slide, SpotSet.of("mine", ids, mask, {"polygon": "tumour.geojson", "min_counts": 5}, low))
    held = held_out_of(slide, mask, 112.0)
    assert (held.split, held.seed, held.spot_set) == ("polygon", None, "mine")
    assert not (held.test & low).any()  # low spots are not scored


def test_training_spots_of_no_set(slide: Slide) -> None:
    mask = np.arange(len(slide.require_spots())) % 4 == 0
    held = held_out_of(slide, mask, 112.0)
    assert (held.split, held.spot_set) == ("unnamed", "")
    np.testing.assert_array_equal(held.test, ~mask)
    assert "not known" in held.notes()[-1]


def test_a_random_split_without_overlap_still_says_that_neighbours_help(slide: Slide) -> None:
    held = held_out_of(slide, read_spot_set(slide, "train").mask, 20.0)
    assert held.overlapping.sum() == 0
    assert "blocked split is the harder question" in held.notes()[0]


def test_every_spot_has_one_role(slide: Slide) -> None:
    for name in ("train", "blocked"):
        held = held_out_of(slide, read_spot_set(slide, name).mask, 112.0)
        roles = held.training.astype(int) + held.left_out + held.test
        assert (roles == 1).all()
        assert not (held.overlapping & ~held.test).any()  # only scored spots can flatter a score


def test_a_set_of_which_nothing_is_known_is_called_chosen(store: Path) -> None:
    slide = open_slide(store)
    ids = slide.require_spots().ids
    mask = np.arange(len(ids)) % 5 == 0
    write_spot_set(slide, SpotSet.of("mine", ids, mask, {"note": "by hand"}))
    held = held_out_of(slide, mask, 112.0)
    assert (held.split, held.seed, held.spot_set) == ("chosen", None, "mine")


def test_the_most_telling_way_names_the_split(store: Path) -> None:
    slide = open_slide(store)
    ids = slide.require_spots().ids
    mask = np.arange(len(ids)) % 7 == 0
    write_spot_set(slide, SpotSet.of("both", ids, mask, {"column": "region", "polygon": "a.geojson", "seed": 4}))
    held = held_out_of(slide, mask, 112.0)
    assert (held.split, held.seed) == ("polygon", 4)


def test_an_unnamed_choice_is_not_called_random(slide: Slide) -> None:
    held = held_out_of(slide, np.arange(len(slide.require_spots())) % 4 == 0, 20.0)
    assert len(held.notes()) == 1
    assert "not known" in held.notes()[0]


def of_masks(split: str = "random", name: str = "train", shared: int = 0) -> HeldOut:
    training, left_out, overlapping = (np.zeros(20, dtype=bool) for _ in range(3))
    training[:5], left_out[5:8], overlapping[8 : 8 + shared] = True, True, True
    return HeldOut(split, 0, training, left_out, overlapping, name)


def test_scored_spots_are_neither_trained_on_nor_left_out() -> None:
    assert of_masks().test.tolist() == [False] * 8 + [True] * 12


def test_notes_say_how_many_scored_spots_share_tissue_with_training() -> None:
    for split in ("random", "polygon", "blocked"):
        (note,) = of_masks(split, shared=3).notes()
        assert note.startswith(f"{split} split: the patches of 3 of the 12 scored spots overlap")


def test_only_a_random_split_is_said_to_be_the_easier_question() -> None:
    assert len(of_masks("random").notes()) == 1
    for split in ("blocked", "polygon", "ids", "chosen"):
        assert of_masks(split).notes() == []


def test_a_choice_nobody_stored_is_said_beside_the_overlap() -> None:
    notes = of_masks("unnamed", name="", shared=2).notes()
    assert len(notes) == 2
    assert "2 of the 12 scored spots" in notes[0]
    assert notes[1].startswith("no spot set of the slide")
