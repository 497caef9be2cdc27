from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.evaluation.sources import group_runs, load_runs, stored_runs
from napari_c2lst.expression.predictor import load_predictor
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import spot_patches
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import read_spot_set

Make = Callable[..., Path]


def load(slide: Slide, *paths: Path, root: Path | None = None) -> list:
    return load_runs(slide, paths, device="cpu", precision="fp32", root=root)


def test_a_predictor_knows_its_training_spots(slide: Slide, predictor: Make) -> None:
    (run,) = load(slide, predictor("alone"))
    assert run.name == "alone"
    np.testing.assert_array_equal(run.training, read_spot_set(slide, "train").mask)
    assert run.content_hash.startswith("sha256:")


def test_names_below_a_root(slide: Slide, predictor: Make, tmp_path: Path) -> None:
    path = predictor("blocked-seed0/real")
    assert load(slide, path, root=tmp_path / "runs")[0].name == "blocked-seed0/real"


def test_all_faulty_predictors_are_named_at_once(slide: Slide, predictor: Make, tmp_path: Path) -> None:
    other = predictor("other", slide="another", spots_hash="sha256:0")
    with pytest.raises(InputError) as caught:
        load(slide, tmp_path / "nowhere", other)
    assert "nowhere" in str(caught.value)
    assert "trained on slide 'another'" in str(caught.value)


def test_a_renamed_slide_is_known_by_its_spots(slide: Slide, predictor: Make) -> None:
    assert load(slide, predictor("old", slide="old name"))[0].training.sum() > 0


def test_stored_predictions_come_back_as_predicted(predicted_once: tuple[Path, Path]) -> None:
    store, folder = predicted_once
    slide = open_slide(store)
    run = stored_runs(slide)[0]
    held_out = ~run.training
    assert run.name == "one"
    assert run.content_hash == load(slide, folder / "one")[0].content_hash
    assert np.isnan(run.stored[run.training]).all()
    patches = spot_patches(slide, slide.require_spots().yx[held_out], run.spec)
    expected = load_predictor(folder / "one", precision="fp32").predict(patches)
    np.testing.assert_allclose(run.stored[held_out], expected, atol=1e-5)


def test_stored_predictions_by_name(predicted_once: tuple[Path, Path]) -> None:
    slide = open_slide(predicted_once[0])
    assert [run.name for run in stored_runs(slide)] == ["one", "two"]
    assert [run.name for run in stored_runs(slide, ["two"])] == ["two"]
    with pytest.raises(InputError, match="holds no predictions 'three'"):
        stored_runs(slide, ["three"])


def test_a_foreign_table_is_passed_over_unless_it_was_named(predicted_once: tuple[Path, Path]) -> None:
    slide = open_slide(predicted_once[0])
    slide.sdata.tables["c2lst_spots_one"].uns["c2lst"] = {"kind": "something else"}
    assert [run.name for run in stored_runs(slide)] == ["two"]
    with pytest.raises(MismatchError, match="holds no predictions"):
        stored_runs(slide, ["one"])


def test_runs_of_one_training_set_and_length_are_compared(slide: Slide, predictor: Make) -> None:
    runs = load(slide, predictor("real"), predictor("both", arm="real+synthetic", n_synthetic=50))
    groups, notes = group_runs(runs)
    assert [[run.name for run in group.runs] for group in groups] == [["real", "both"]]
    assert (groups[0].steps, groups[0].label, notes) == (6, "", [])


def test_different_steps_are_not_compared_and_it_says_so(slide: Slide, predictor: Make) -> None:
    runs = load(slide, predictor("short"), predictor("long", steps=600, arm="real+synthetic"))
    groups, notes = group_runs(runs)
    assert [group.label for group in groups] == ["6 steps", "600 steps"]
    assert "different optimiser steps are not compared" in notes[0]
    assert "'short' (6 steps)" in notes[0]


def test_different_panels_are_not_compared_and_it_says_so(slide: Slide, predictor: Make) -> None:
    groups, notes = group_runs(load(slide, predictor("large"), predictor("small", size=8)))
    assert len(groups) == 2
    assert "genes or their scale" in notes[0]
    assert groups[0].label.startswith("12 genes, panel ")
    assert groups[0].label != groups[1].label


def test_different_training_sets_are_different_trials_of_one_kind(slide: Slide, predictor: Make) -> None:
    groups, notes = group_runs(load(slide, predictor("random"), predictor("blocked", "blocked")))
    assert len(groups) == 2
    assert [group.label for group in groups] == ["", ""]  # each chose its own genes: that is part of a trial
    assert notes == []


def test_nothing_to_compare() -> None:
    assert group_runs([]) == ([], [])


def test_groups_come_in_the_order_of_their_first_run(slide: Slide, predictor: Make) -> None:
    paths = [predictor("b", "blocked"), predictor("a"), predictor("c", "blocked", seed=1)]
    groups, _ = group_runs(load(slide, *paths))
    assert [[run.name for run in group.runs] for group in groups] == [["b", "c"], ["a"]]
    assert groups[0].panel == groups[0].runs[1].panel
    assert groups[0].spec == groups[0].runs[0].facts.spec


def test_one_note_for_each_training_set_that_falls_apart(slide: Slide, predictor: Make) -> None:
    paths = [predictor(f"{spots}{steps}", spots, steps=steps) for spots in ("train", "blocked") for steps in (6, 60)]
    groups, notes = group_runs(load(slide, *paths))
    assert [group.label for group in groups] == ["6 steps", "60 steps"] * 2
    assert len(notes) == 2
    assert "'train6' (6 steps) | 'train60' (60 steps)" in notes[0]
    assert "'blocked6'" in notes[1]


def test_a_predictor_is_called_by_its_folder_also_when_its_file_is_named(slide: Slide, predictor: Make) -> None:
    assert load(slide, predictor("mine") / "predictor.safetensors")[0].name == "mine"


def test_a_predictor_of_no_spot_of_this_slide_is_refused(slide: Slide, predictor: Make) -> None:
    path = predictor("same name", training_ids=("elsewhere-1", "elsewhere-2"))
    with pytest.raises(MismatchError, match="was trained on slide 'tiny', not on 'tiny'"):
        load(slide, path)


def test_a_table_with_other_genes_than_its_predictor_is_refused(predicted_once: tuple[Path, Path]) -> None:
    slide = open_slide(predicted_once[0])
    table = slide.sdata.tables["c2lst_spots_one"]
    table.var_names = [f"OTHER{i}" for i in range(table.n_vars)]
    with pytest.raises(MismatchError, match="other genes than its predictor") as caught:
        stored_runs(slide, ["one"])
    assert caught.value.hint == "predict again"
    assert [run.name for run in stored_runs(slide)] == ["two"]


def test_spots_without_a_stored_row_are_nan(predicted_once: tuple[Path, Path]) -> None:
    slide = open_slide(predicted_once[0])
    table = slide.sdata.tables["c2lst_spots_one"]
    slide.sdata.tables["c2lst_spots_one"] = table[3:].copy()
    run = stored_runs(slide, ["one"])[0]
    ids = slide.require_spots().ids.astype(str)
    left_out = np.isin(ids, table.obs_names[:3].astype(str))
    assert left_out.sum() == 3
    assert np.isnan(run.stored[left_out]).all()
    assert np.isfinite(run.stored[np.isin(ids, table.obs_names[3:].astype(str))]).all()
