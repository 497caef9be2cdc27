from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.evaluation.evaluating import EvaluateResult, run
from napari_c2lst.evaluation.settings import EvaluateSettings

Make = Callable[..., Path]


def settings(store: Path, out: Path, **values: Any) -> EvaluateSettings:
    fast = {"device": "cpu", "precision": "fp32", "workers": 1, "draws": 100, "figures": False}
    return EvaluateSettings.resolve(**{"slide": store, "out": out, **fast, **values})


def arms(result: EvaluateResult) -> list[tuple[str, str]]:
    with result.scores.open(newline="") as file:
        return [(row["arm"], row["run"]) for row in csv.DictReader(file)]


def both(predictor: Make, spots: str = "blocked") -> list[Path]:
    return [predictor("alone", spots), predictor("both", spots, arm="real+synthetic", n_synthetic=40, seed=1)]


def test_predictors_are_scored_beside_the_baselines(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    result = run(settings(store_once, tmp_path / "scores", predictors=both(predictor)), Reporter())
    assert arms(result) == [
        ("mean", ""), ("median", ""), ("ridge", ""), ("real", "alone"), ("real+synthetic", "both"),
    ]  # fmt: skip
    assert result.lines()[0].startswith("Blocked split, seed 0")
    assert result.figures == []
    assert "real + synthetic [both] against real only" in "\n".join(result.lines())
    assert result.genes.exists()
    assert "```" in result.page.read_text()


def test_all_figures_are_drawn_and_named(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    given = settings(store_once, tmp_path / "scores", predictors=both(predictor), figures=True, genes_shown=["GENE00"])
    result = run(given, reporter)
    assert [path.stem for path in result.figures] == ["spots_blocked", "maps", "scatter", "scores"]
    assert all(path.exists() and path.with_suffix(".svg").exists() for path in result.figures)
    assert len(reporter.of_kind("picture")) == 4
    assert all(f"({path.relative_to(tmp_path / 'scores')})" in result.page.read_text() for path in result.figures)


def test_predictions_stored_in_the_slide_are_scored(predicted_once: tuple[Path, Path], tmp_path: Path) -> None:
    store, folder = predicted_once
    stored = run(settings(store, tmp_path / "stored", runs=["one"]), Reporter())
    direct = run(settings(store, tmp_path / "direct", predictors=[folder / "one"]), Reporter())
    assert arms(stored)[3:] == [("real", "one")]
    assert stored.scores.read_text() == direct.scores.read_text()
    assert any("flatters" in note for note in stored.notes)  # a random split


def test_the_same_run_is_scored_once(predicted_once: tuple[Path, Path], tmp_path: Path) -> None:
    store, folder = predicted_once
    given = settings(store, tmp_path / "scores", predictors=[folder / "one"], runs=["one", "two"])
    assert arms(run(given, Reporter()))[3:] == [("real", "one"), ("real", "two")]


def test_different_training_sets_are_scored_apart(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    paths = [predictor("scattered"), predictor("regions", "blocked")]
    result = run(settings(store_once, tmp_path / "scores", predictors=paths), Reporter())
    text = "\n".join(result.table)
    assert "Random split, seed 0" in text
    assert "Blocked split, seed 0" in text
    assert any(note.startswith("the scale of an MAE follows the training spots") for note in result.notes)


def test_different_steps_are_scored_apart_and_it_says_so(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    paths = [predictor("short"), predictor("long", steps=600, arm="real+synthetic")]
    result = run(settings(store_once, tmp_path / "scores", predictors=paths), Reporter())
    assert any("not compared with each other" in note for note in result.notes)
    assert "Random split, seed 0 (600 steps)" in "\n".join(result.table)
    assert "real + synthetic [long] against real only" not in "\n".join(result.table)


def test_without_any_run_the_baselines_are_scored(store_once: Path, central: Path, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    result = run(settings(store_once, tmp_path / "scores", central=str(central)), reporter)
    assert [arm for arm, _ in arms(result)] == ["mean", "median", "ridge"]
    assert any("only the baselines are scored" in text for text in reporter.messages)


def test_scoring_again_is_fresh_and_other_settings_want_another_folder(
    store_once: Path, predictor: Make, tmp_path: Path
) -> None:
    given = settings(store_once, tmp_path / "scores", predictors=[predictor("alone")])
    first = run(given, Reporter())
    first.scores.unlink()
    assert run(given, Reporter()).scores.exists()
    run(given.model_copy(update={"draws": 200}), Reporter())  # what is shown, and how, may change
    with pytest.raises(MismatchError, match="other settings"):
        run(given.model_copy(update={"predictors": [*given.predictors, predictor("second")]}), Reporter())


def test_bad_input_is_refused_before_a_folder_is_made(store_once: Path, tmp_path: Path) -> None:
    for values, words in (
        ({"predictors": [tmp_path / "nowhere"]}, "no predictor"),
        ({"runs": ["nothing"]}, "holds no predictions 'nothing'"),
        ({"slide": tmp_path / "nowhere.zarr"}, "nowhere.zarr"),
    ):
        with pytest.raises(InputError, match=words):
            run(settings(**{"store": store_once, "out": tmp_path / "scores", **values}), Reporter())  # type: ignore[arg-type]
        assert not (tmp_path / "scores").exists()


def test_a_gene_to_map_that_is_not_in_the_panel(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    given = {"predictors": [predictor("alone")], "figures": True, "genes_shown": ["NOT_A_GENE"]}
    with pytest.raises(InputError, match="NOT_A_GENE"):
        run(settings(store_once, tmp_path / "scores", **given), Reporter())
