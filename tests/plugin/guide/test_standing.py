from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.guide.standing import SAVED_VIEW, Facts, Standing, facts_of, next_step, standings
from napari_c2lst.plugin.guide.steps import STEPS, step_named, step_of_task
from napari_c2lst.plugin.runs import RunInfo
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

CHAIN = ["open", "select", "adapt", "sample", "train", "predict", "cells", "look", "judge", "keep"]


def run(task: str, state: Any = "finished", name: str = "") -> RunInfo:
    return RunInfo(Path(name or task), task, state)


def facts(slide: Any = None, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "slide": slide,
        "sets": {},
        "unsaved": (),
        "runs": (),
        "predictions": (),
        "gene": "",
        "saved": False,
        "running": frozenset(),
    }
    return Facts(**{**values, **changes})


def states(found: list[Standing]) -> dict[str, str]:
    return {each.step.key: each.state for each in found}


def test_the_steps_are_the_way_in_order() -> None:
    assert [step.key for step in STEPS] == CHAIN
    assert step_named("train").title == "Train"
    assert step_of_task("evaluate") is step_named("judge")
    assert step_of_task("info") is None
    assert all(step.purpose.endswith((".", "?")) and len(step.purpose) < 60 for step in STEPS)


def test_nothing_is_open() -> None:
    found = standings(facts())
    assert states(found)["open"] == "next"
    assert {state for key, state in states(found).items() if key != "open"} == {"waiting"}
    assert all(each.said for each in found)


def test_each_finished_step_makes_the_next_one_next(make_slide: Callable[..., Slide]) -> None:
    slide = make_slide()
    all_runs = [run("adapt"), run("sample"), run("train"), run("evaluate")]
    stages: list[tuple[dict[str, Any], str]] = [
        ({}, "select"),
        ({"sets": {"train": 70}}, "adapt"),
        ({"runs": all_runs[:1]}, "sample"),
        ({"runs": all_runs[:2]}, "train"),
        ({"runs": all_runs[:3]}, "predict"),
        ({"predictions": ("c2lst_spots_both",), "unseen": ("both",), "gene": "FASN"}, "look"),
        ({"unseen": ()}, "judge"),
        ({"runs": all_runs}, "keep"),
    ]
    known: dict[str, Any] = {}
    for change, expected in stages:
        known |= change
        step = next_step(standings(facts(slide, **known)))
        assert step is not None
        assert step.step.key == expected
    assert next_step(standings(facts(slide, **known, saved=True))) is None


def test_missing_microns_are_the_first_thing_to_do(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(microns=None), sets={"train": 70}))
    assert found[0].state == "next"
    assert "microns" in found[0].said


def test_an_image_alone_can_only_be_predicted(make_slide: Callable[..., Slide]) -> None:
    found = states(standings(facts(make_slide(spots=None))))
    assert [found[key] for key in ("select", "adapt", "train")] == ["waiting"] * 3
    assert found["predict"] == "next"
    said = {each.step.key: each.said for each in standings(facts(make_slide(spots=None)))}
    assert {said[key] for key in ("select", "adapt", "train", "judge")} == {"this image has no measured spots"}
    assert states(standings(facts(make_slide(spots=None), runs=(run("train"),))))["predict"] == "next"


def test_a_set_of_a_few_spots_is_not_enough(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), sets={"few": 3}))
    assert states(found)["select"] == "next"
    assert "at least 8" in found[1].said


def test_what_runs_is_not_next(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), sets={"train": 70}, running=frozenset({"adapt"})))
    assert states(found)["adapt"] == "running"
    assert next_step(found) is None


def test_a_stopped_run_can_go_on(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), sets={"train": 70}, runs=(run("adapt", "stopped", "local2"),)))
    assert "'local2' can go on" in found[2].said
    assert next_step(found) == found[2]
    # a finished one beside it counts more
    both = (run("adapt", "stopped", "local2"), run("adapt"))
    assert states(standings(facts(make_slide(), sets={"train": 70}, runs=both)))["adapt"] == "done"
    failed = standings(facts(make_slide(), sets={"train": 70}, runs=(run("adapt", "failed"),)))
    assert failed[2].said == "no local model yet"


@pytest.mark.parametrize(
    ("runs", "said"),
    [((run("sample"),), "1 set of pairs"), ((run("sample"), run("sample", name="b")), "2 sets of pairs")],
)
def test_counts_in_words(make_slide: Callable[..., Slide], runs: Any, said: str) -> None:
    assert standings(facts(make_slide(), sets={"t": 9}, runs=runs))[3].said == said


def test_every_state_has_words(make_slide: Callable[..., Slide]) -> None:
    step = STEPS[0]
    for state in ("done", "next", "ready", "waiting", "running", "stopped"):
        assert Standing(step, state, "x").words  # type: ignore[arg-type]


def test_facts_come_from_the_session_and_the_disk(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    tables = {"table": 1, "c2lst_set_train": 1, "c2lst_spots_both": 1, "c2lst_grid_both": 1, SAVED_VIEW: 1}
    slide = make_slide(path=tmp_path / "P12.zarr", sdata=SimpleNamespace(tables=tables))
    session = Session()
    session.slide = slide
    mask = np.array([True, False, False])
    for name in ("train", "mine"):
        session.sets[name] = SpotSet.of(name, slide.require_spots().ids, mask, {})
    run_folder = tmp_path / "P12_c2lst" / "local"
    run_folder.mkdir(parents=True)
    (run_folder / "config.toml").write_text('kind = "adapt"\n[settings]\nout = "x"\n')
    found = facts_of(session, [("adapt", run_folder)])
    assert found.sets == {"train": 1, "mine": 1}
    assert found.unsaved == ("mine",)
    assert found.predictions == ("c2lst_grid_both", "c2lst_spots_both")
    assert found.saved
    assert [each.state for each in found.runs] == ["running"]
    assert found.running == {"adapt"}
    keep = standings(found)[-1]
    assert (keep.state, keep.said) == ("ready", "not saved yet: mine")
    assert facts_of(Session()).runs == ()


def test_cells_are_those_of_the_store_on_disk(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    """They are not read when a slide is opened, so the open slide does not hold them."""
    store = tmp_path / "P12.zarr"
    for name in ("c2lst_cells_b_table", "c2lst_cells_a_table", "c2lst_composition_a", "table"):
        (store / "tables" / name).mkdir(parents=True)
    session = Session()
    session.slide = make_slide(path=store, sdata=SimpleNamespace(tables={"table": 1}), is_zarr=True)
    assert facts_of(session).cells == ("c2lst_cells_a_table", "c2lst_cells_b_table")
    session.slide = make_slide(path=tmp_path / "P13.zarr", is_zarr=True)
    assert facts_of(session).cells == ()
    assert facts_of(Session()).cells == ()


def test_cells_are_never_next_but_are_done_once_they_are_found(make_slide: Callable[..., Slide]) -> None:
    runs = (run("adapt"), run("sample"), run("train"))
    known = {"sets": {"t": 9}, "runs": runs, "predictions": ("c2lst_spots_both",)}
    found = standings(facts(make_slide(), **known))
    assert states(found)["cells"] == "ready"
    step = next_step(found)
    assert step is not None
    assert step.step.key == "look"
    done = standings(facts(make_slide(), **known, cells=("c2lst_cells_a_table",)))
    assert (states(done)["cells"], done[6].said) == ("done", "1 result")
    assert states(standings(facts(make_slide(microns=None))))["cells"] == "waiting"


@pytest.mark.parametrize(
    ("sets", "state", "said"),
    [
        ({"a": 7}, "next", "a set needs at least 8 spots"),
        ({"a": 8}, "done", "a (8)"),
        ({"a": 8, "b": 3, "c": 90}, "done", "a (8), c (90)"),
        ({"empty": 0}, "next", "a set needs at least 8 spots"),
    ],
)
def test_which_sets_are_enough(make_slide: Callable[..., Slide], sets: dict[str, int], state: str, said: str) -> None:
    found = standings(facts(make_slide(), sets=sets))[1]
    assert (found.state, found.said) == (state, said)


def test_an_image_alone_cannot_be_judged(make_slide: Callable[..., Slide]) -> None:
    known: dict[str, Any] = {"predictions": ("c2lst_grid_a",), "gene": "FASN", "runs": (run("train"),)}
    found = standings(facts(make_slide(spots=None), **known))
    assert states(found)["judge"] == "waiting"
    assert found[8].said == "this image has no measured spots"
    step = next_step(found)
    assert step is not None
    assert step.step.key == "keep"
    assert states(standings(facts(make_slide(), **known)))["judge"] == "ready"


def test_an_earlier_thing_to_do_is_next_while_a_later_step_runs(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), running=frozenset({"predict"})))
    assert (states(found)["select"], states(found)["predict"]) == ("next", "running")


def test_a_running_job_counts_more_than_a_finished_one(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), sets={"t": 9}, runs=(run("adapt"),), running=frozenset({"adapt"})))
    assert (found[2].state, found[2].said, found[2].words) == ("running", "at work", "running")


def test_cells_that_were_stopped_are_still_no_must(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), running=frozenset({"cells"}), sets={"t": 9}))
    assert states(found)["cells"] == "running"
    assert states(found)["adapt"] == "next"


def test_the_newest_stopped_run_is_named(make_slide: Callable[..., Slide]) -> None:
    runs = (run("train", "stopped", "new"), run("train", "stopped", "old"), run("train", "failed", "newest"))
    found = standings(facts(make_slide(), sets={"t": 9}, runs=runs))[4]
    assert (found.state, found.said) == ("stopped", "'new' can go on")


def test_training_without_pairs_is_said_to_be_on_real_spots_only(make_slide: Callable[..., Slide]) -> None:
    train = standings(facts(make_slide(), sets={"t": 9}))[4]
    assert (train.state, train.said) == ("ready", "without synthetic pairs: on real spots only")
    with_pairs = standings(facts(make_slide(), sets={"t": 9}, runs=(run("sample"),)))[4]
    assert with_pairs.said == "no predictor yet"
    assert standings(facts(make_slide()))[4].said == "choose training spots first"


def test_what_lies_in_the_store_is_said_in_words(make_slide: Callable[..., Slide]) -> None:
    found = standings(facts(make_slide(), predictions=("c2lst_spots_a", "c2lst_grid_a"), gene="FASN", saved=True))
    said = {each.step.key: each.said for each in found}
    assert said["open"] == "P12"
    assert said["predict"] == "2 predictions"
    assert said["look"] == "FASN is shown"
    assert said["keep"] == "saved in the slide"
    unsaved = standings(facts(make_slide(), unsaved=("edge", "tumour"), saved=True))[-1]
    assert (unsaved.state, unsaved.said) == ("ready", "not saved yet: edge, tumour")


def test_a_damaged_run_counts_for_nothing(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    session = Session()
    session.slide = make_slide(path=tmp_path / "P12.zarr", sdata=SimpleNamespace(tables={}))
    folder = tmp_path / "P12_c2lst"
    for name, config, result in (
        ("bad", "kind = [", None),
        ("half", 'kind = "train"\n[settings]\n', None),
        ("good", 'kind = "train"\n[settings]\n', "{}"),
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.toml").write_text(config)
        if result is not None:
            (folder / name / "result.json").write_text(result)
    (folder / "notes.txt").write_text("mine")
    found = facts_of(session)
    assert [each.name for each in found.finished("train")] == ["good"]
    assert [each.name for each in found.stopped("train")] == ["half"]
    assert {each.state for each in found.runs if each.name == "bad"} <= {"failed"}


def test_runs_lie_beside_the_store_that_a_folder_will_become(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    session = Session()
    session.slide = make_slide(path=tmp_path / "outs", is_zarr=False, sdata=SimpleNamespace(tables={}))
    assert facts_of(session, [("adapt", None)]).running == {"adapt"}  # a job without a run folder
    assert facts_of(session).runs == ()
    assert session.runs_folder is not None
    (session.runs_folder / "local").mkdir(parents=True)
    (session.runs_folder / "local" / "config.toml").write_text('kind = "adapt"\n[settings]\n')
    (session.runs_folder / "local" / "result.json").write_text("{}")
    assert [each.name for each in facts_of(session).finished("adapt")] == ["local"]


@pytest.mark.parametrize(
    ("scores", "predictions", "state", "said"),
    [
        ("arm,run\nmean,\nridge,\n", (), "waiting", "predict first"),
        ("arm,run\nmean,\nridge,\n", ("c2lst_spots_a",), "ready", "baselines alone are scored"),
        ("arm,run\nmean,\nreal+synthetic,predictor\n", ("c2lst_spots_a",), "done", "1 score table"),
        ("arm,run\nreal,\n", (), "done", "1 score table"),
        ("arm,run\na later arm,\n", (), "done", "1 score table"),
        ("", (), "done", "1 score table"),  # damaged: the panel says so
        ("other\n1\n", (), "done", "1 score table"),
    ],
)
def test_scores_of_baselines_alone_judge_no_prediction(
    make_slide: Callable[..., Slide], tmp_path: Path, scores: str, predictions: tuple[str, ...], state: str, said: str
) -> None:
    (tmp_path / "scores.csv").write_text(scores)
    made = RunInfo(tmp_path, "evaluate", "finished")
    # the guide would call the first step that can be done "next": one at work comes before it
    known: dict[str, Any] = {"predictions": predictions, "running": frozenset({"open"})}
    found = standings(facts(make_slide(), sets={"train": 70}, runs=(made,), **known))
    assert (states(found)["judge"], found[8].said) == (state, said)


def test_maps_are_to_be_looked_at_although_a_gene_is_shown_on_the_spots(make_slide: Callable[..., Slide]) -> None:
    runs = tuple(run(task) for task in ("adapt", "sample", "train", "evaluate"))
    known: dict[str, Any] = {"sets": {"t": 9}, "runs": runs, "gene": "FASN", "predictions": ("c2lst_spots_b",)}
    found = standings(facts(make_slide(), **known, unseen=("b",)))
    assert (states(found)["look"], found[7].said) == ("next", "new: b")
    assert states(standings(facts(make_slide(), **known)))["look"] == "done"


@pytest.mark.parametrize("went_on", [False, True])
def test_which_predictions_nobody_has_looked_at(
    make_slide: Callable[..., Slide], tmp_path: Path, went_on: bool
) -> None:
    """Who saved a view, or judged, had looked at what was there; what was predicted since is new all the same."""
    names = ("c2lst_spots_old", "c2lst_grid_old_table", "c2lst_spots_new", *((SAVED_VIEW,) if went_on else ()))
    session = Session()
    session.slide = make_slide(path=tmp_path / "P12.zarr", sdata=SimpleNamespace(tables=dict.fromkeys(names, 1)))
    session.note_predicted("new")
    assert facts_of(session).unseen == (("new",) if went_on else ("new", "old"))
    session.note_seen("old")
    assert facts_of(session).unseen == ("new",)
    session.note_seen("new")
    assert facts_of(session).unseen == ()
    session.note_predicted("old")
    assert facts_of(session).unseen == ("old",)


def test_who_judged_the_predictions_had_looked_at_them(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    session = Session()
    tables = {"c2lst_spots_both": 1}
    session.slide = make_slide(path=tmp_path / "P12.zarr", sdata=SimpleNamespace(tables=tables))
    folder = tmp_path / "P12_c2lst" / "scores"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('kind = "evaluate"\n[settings]\n')
    (folder / "result.json").write_text("{}")
    (folder / "scores.csv").write_text("arm\nmedian\n")
    assert facts_of(session).unseen == ("both",)  # the baselines alone
    (folder / "scores.csv").write_text("arm\nmedian\nreal\n")
    assert facts_of(session).unseen == ()


def test_a_set_that_is_being_written_is_not_called_unsaved(make_slide: Callable[..., Slide]) -> None:
    session = Session()
    session.slide = make_slide(sdata=SimpleNamespace(tables={}))
    for name in ("train", "mine"):
        session.sets[name] = SpotSet.of(name, session.slide.require_spots().ids, np.array([True, False, False]), {})
    session.saving = "mine"
    assert facts_of(session).unsaved == ("train",)
    session.saving = ""
    assert facts_of(session).unsaved == ("mine", "train")


def test_an_image_alone_leads_to_a_prediction_and_then_to_keep(make_slide: Callable[..., Slide]) -> None:
    image = make_slide(spots=None)
    found = standings(facts(image))
    assert next_step(found) == Standing(step_named("predict"), "next", "with a predictor of another slide")
    assert (found[-1].state, found[-1].said) == ("waiting", "nothing to save yet")
    predicted = standings(facts(image, predictions=("c2lst_grid_a",), unseen=("a",)))
    assert next_step(predicted) == Standing(step_named("look"), "next", "new: a")
    looked = standings(facts(image, predictions=("c2lst_grid_a",), gene="FASN"))
    assert next_step(looked) == Standing(step_named("keep"), "next", "not saved yet")
    with_cells = standings(facts(image, cells=("nuclei",)))
    assert with_cells[-1].state == "ready"
