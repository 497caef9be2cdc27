from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.evaluation.conftest import SPEC
from tests.evaluation.test_scoring import make_trial as scored_trial

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.diffusion.conditions import Conditions
from napari_c2lst.diffusion.pairs import PairsFacts
from napari_c2lst.diffusion.pairs_writing import PairsWriter
from napari_c2lst.evaluation.evaluating import (
    EvaluateResult,
    _named_pairs,
    _pairs_learned_from,
    _pairs_of,
    _scale_note,
    run,
)
from napari_c2lst.evaluation.settings import EvaluateSettings
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import read_spot_set

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


def write_pairs(made_from: Slide, folder: Path, **facts: Any) -> Path:
    """Pairs of one grey patch for each training spot of set 'blocked', as `sample` keeps them."""
    mask = read_spot_set(made_from, "blocked").mask
    ids = made_from.require_spots().ids[mask].astype(str)
    panel = GenePanel.fit(made_from.counts(), made_from.genes, training=mask, size=12)
    values = {
        "slide": made_from.name, "training_ids": tuple(ids.tolist()), "panel": panel, "spec": SPEC,
        "central_hash": "sha256:0", "local_hash": "sha256:0", **facts,
    }  # fmt: skip
    targets = np.zeros((len(ids), 12), np.float32)
    conditions = Conditions(targets, ids, ids, np.zeros(len(ids), np.float32))
    folder.mkdir()
    writer = PairsWriter(folder / "pairs.zarr", conditions, PairsFacts(**values), seed=0)
    writer.write(0, np.full((len(ids), 16, 16, 3), 128, np.uint8))
    writer.finish()
    return folder


def test_pairs_that_were_named_are_shown(slide: Slide, store_once: Path, tmp_path: Path) -> None:
    pairs = write_pairs(slide, tmp_path / "pairs")
    given = settings(store_once, tmp_path / "scores", figures=True, pairs=pairs)
    named = _named_pairs(given, slide)
    assert named is not None
    assert named.facts.slide == slide.name
    assert _named_pairs(given.model_copy(update={"figures": False}), slide) is None
    assert _named_pairs(given.model_copy(update={"pairs": None}), slide) is None


@pytest.mark.parametrize("facts", [{"slide": "another"}, {"training_ids": ("spot of another slide",)}])
def test_pairs_of_another_slide_are_refused_before_any_work(
    facts: dict[str, Any], slide: Slide, store_once: Path, predictor: Make, tmp_path: Path
) -> None:
    given = {"predictors": [predictor("alone")], "figures": True, "pairs": write_pairs(slide, tmp_path / "p", **facts)}
    with pytest.raises(InputError, match=f"not from '{slide.name}'"):
        run(settings(store_once, tmp_path / "scores", **given), Reporter())
    assert not (tmp_path / "scores").exists()


def test_pairs_are_not_read_where_no_figure_is_drawn(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    given = {"predictors": [predictor("alone")], "figures": False, "pairs": tmp_path / "nowhere"}
    assert run(settings(store_once, tmp_path / "scores", **given), Reporter()).figures == []


def trained_from(predictor_folder: Path, synthetic: Path | None) -> Path:
    """Note in a run folder what `train` learned from."""
    named = "" if synthetic is None else f'synthetic = "{synthetic}"\n'
    (predictor_folder / "config.toml").write_text(f'kind = "train"\n[settings]\n{named}')
    return predictor_folder


def test_the_pairs_a_predictor_learned_from_are_found(slide: Slide, predictor: Make, tmp_path: Path) -> None:
    pairs = write_pairs(slide, tmp_path / "pairs")
    known, gone = trained_from(predictor("a"), pairs), trained_from(predictor("b"), tmp_path / "gone")
    paths = [_pairs_of(path) for path in (known, known / "predictor.safetensors", gone, predictor("no config"))]
    assert paths == [pairs, pairs, None, None]
    assert _pairs_of(trained_from(predictor("real only"), None)) is None


def test_pairs_that_cannot_be_read_cost_one_figure_and_a_warning(
    slide: Slide, store_once: Path, predictor: Make, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    (broken / "pairs.zarr").mkdir(parents=True)
    reporter = RecordingReporter()
    paths = [trained_from(predictor("alone"), broken)]
    given = settings(store_once, tmp_path / "scores", predictors=paths, figures=True)
    assert _pairs_learned_from(given, given.out, reporter) is None
    assert len(reporter.messages) == 1
    assert str(broken) in reporter.messages[0]
    second = trained_from(predictor("second"), write_pairs(slide, tmp_path / "pairs"))
    found = _pairs_learned_from(given.model_copy(update={"predictors": [*paths, second]}), given.out, reporter)
    assert found is not None  # the next predictor's


def test_pairs_of_a_blocked_repeat_are_shown_before_those_of_a_random_one(
    slide: Slide, store_once: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores"
    for name in ("random-seed0", "blocked-seed0"):
        (out / name).mkdir(parents=True)
        write_pairs(slide, out / name / "pairs", central_hash=name)
    given = settings(store_once, out, rerun=True, figures=True)
    found = _pairs_learned_from(given, out, Reporter())
    assert found is not None
    assert found.facts.central_hash == "blocked-seed0"


def test_a_gene_to_map_is_refused_before_anything_is_predicted(
    store_once: Path, predictor: Make, tmp_path: Path
) -> None:
    reporter = RecordingReporter()
    given = {"predictors": [predictor("alone")], "figures": True, "genes_shown": ["GENE00", "GENE0", "XYZ"]}
    with pytest.raises(InputError, match="not in the gene panel: GENE0, XYZ") as caught:
        run(settings(store_once, tmp_path / "scores", **given), reporter)
    assert caught.value.hint.startswith("did you mean GENE")
    assert reporter.of_kind("progress") == []
    assert not (tmp_path / "scores" / "scores.csv").exists()


def test_without_figures_genes_to_map_do_not_matter(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    given = {"predictors": [predictor("alone")], "genes_shown": ["NOT_A_GENE"]}
    assert run(settings(store_once, tmp_path / "scores", **given), Reporter()).scores.exists()


def test_the_baselines_need_the_training_spots(store_once: Path, central: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody"):
        run(settings(store_once, tmp_path / "scores", central=str(central), spots="nobody"), Reporter())


def test_a_stop_keeps_the_tables_of_before(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    given = settings(store_once, tmp_path / "scores", predictors=[predictor("alone")])
    before = run(given, Reporter()).scores.read_text()
    with pytest.raises(Stopped):
        run(given.model_copy(update={"draws": 200}), RecordingReporter(stop_after=0))
    assert (tmp_path / "scores" / "scores.csv").read_text() == before


def test_the_same_seed_gives_the_same_tables(store_once: Path, predictor: Make, tmp_path: Path) -> None:
    paths = both(predictor)
    one, two = (run(settings(store_once, tmp_path / name, predictors=paths), Reporter()) for name in ("one", "two"))
    for table in ("scores", "genes", "differences"):
        assert getattr(one, table).read_text() == getattr(two, table).read_text()
    other = run(settings(store_once, tmp_path / "three", predictors=paths, seed=5), Reporter())
    assert arms(other) == arms(one)
    assert other.scores.read_text() != one.scores.read_text()  # the intervals are drawn anew


def test_a_result_says_its_notes_and_where_everything_is(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("scores", "genes", "differences", "page")}
    lines = EvaluateResult(**paths, figures=[], table=["a table"], notes=["take care"]).lines()
    assert lines[:2] == ["a table", "Note: take care."]
    assert all(any(str(paths[name]) in line for line in lines) for name in ("scores", "genes", "page"))


@pytest.mark.parametrize(("scales", "said"), [((1000.0, 1005.0), 0), ((1000.0, 1100.0), 1), ((None, 900.0), 0)])
def test_scales_that_differ_are_said(scales: tuple[float | None, ...], said: int) -> None:
    notes = _scale_note([replace(scored_trial(), scale=scale) for scale in scales])
    assert len(notes) == said
    assert all("1000 to 1100" in note for note in notes)
