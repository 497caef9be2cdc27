"""Which predictions a slide holds, in words."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.looking.predictions import Prediction, held_out_column, list_predictions
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


def test_all_predictions_are_found_spots_first(slide: Slide) -> None:
    found, problems = list_predictions(slide)
    assert [(each.where, each.written.name) for each in found] == [
        ("spots", "both"),
        ("spots", "real"),
        ("grid", "both"),
    ]
    assert problems == []


def test_a_prediction_says_where_and_how_many(predictions: dict[str, Prediction]) -> None:
    assert predictions["both on spots"].label == "both – all 63 spots"
    assert predictions["real on spots"].label == "real – 42 held-out spots"
    assert predictions["both on grid"].label == "both – grid of 20 positions"


def test_training_spots_are_said_to_prove_nothing(predictions: dict[str, Prediction]) -> None:
    said = " ".join(predictions["both on spots"].sentences())
    assert "network trained on spots and synthetic pairs (21 spots)" in said
    assert "42 of the 63 spots are held out" in said
    assert "other 21" in said
    assert "proves nothing" not in " ".join(predictions["real on spots"].sentences())


def test_spread_and_genes_are_known(predictions: dict[str, Prediction]) -> None:
    assert predictions["both on spots"].has_spread
    assert not predictions["real on spots"].has_spread
    assert len(predictions["real on spots"].genes) == 12


def test_no_slide_holds_none() -> None:
    assert list_predictions(None) == ([], [])


def test_a_later_version_is_named_and_the_others_stay(results: object) -> None:
    slide = open_slide(results)  # type: ignore[arg-type]
    slide.sdata.tables["c2lst_spots_real"].uns["c2lst"]["version"] = 99
    found, problems = list_predictions(slide)
    assert [each.key for each in found] == ["c2lst_spots_both", "c2lst_grid_both_table"]
    assert problems == ["'c2lst_spots_real': the predictions have version 99; update napari-c2lst, or predict again"]


def test_other_genes_than_the_predictors_are_refused(results: object) -> None:
    slide = open_slide(results)  # type: ignore[arg-type]
    table = slide.sdata.tables["c2lst_spots_real"]
    table.var_names = [f"X{i}" for i in range(table.n_vars)]
    assert "other genes" in list_predictions(slide)[1][0]


def test_without_a_known_set_unseen_spots_count_as_held_out() -> None:
    table = SimpleNamespace(obs={"unseen": np.array([True, False])}, n_obs=2)
    assert held_out_column(table).tolist() == [True, False]
    assert held_out_column(SimpleNamespace(obs={}, n_obs=3)).tolist() == [False] * 3


class Tables(dict[str, Any]):
    """A slide that holds tables."""

    @property
    def sdata(self) -> Any:
        return SimpleNamespace(tables=self)


@pytest.mark.parametrize("uns", [{}, {"c2lst": None}, {"c2lst": "text"}, {"c2lst": {"kind": "spot set"}}, {"c2lst": 3}])
def test_tables_of_others_are_passed_over(uns: dict[str, Any]) -> None:
    assert list_predictions(Tables(other=SimpleNamespace(uns=uns))) == ([], [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damage",
    [{"version": None}, {"version": "one"}, {}, {"version": 1}, {"version": 1, "predictor": "no json"}],
)
def test_a_damaged_table_is_one_sentence_and_no_crash(damage: dict[str, Any]) -> None:
    table = SimpleNamespace(uns={"c2lst": {"kind": "predictions", **damage}})
    found, problems = list_predictions(Tables(broken=table))  # type: ignore[arg-type]
    assert found == []
    assert len(problems) == 1
    assert problems[0].startswith("'broken': ")
    assert "predict again" in problems[0]


def test_a_table_without_a_place_cannot_be_drawn(slide: Slide) -> None:
    empty = slide.sdata.tables["c2lst_spots_real"][:0]
    found, problems = list_predictions(Tables(empty=empty))  # type: ignore[arg-type]
    assert found == []
    assert problems == ["'empty': it holds no place that was predicted; predict again"]


def test_a_slide_that_holds_no_tables_at_all() -> None:
    assert list_predictions(SimpleNamespace(sdata=None)) == ([], [])  # type: ignore[arg-type]


def test_the_newest_comes_first_on_spots_and_on_grids(results: Path) -> None:
    def names() -> list[str]:
        return [f"{each.where} {each.written.name}" for each in list_predictions(open_slide(results))[0]]

    assert names() == ["spots both", "spots real", "grid both"]
    table = results / "tables" / "c2lst_spots_real"
    later = (results / "tables" / "c2lst_spots_both").stat().st_mtime_ns + 10**9
    os.utime(table, ns=(later, later))
    assert names() == ["spots real", "spots both", "grid both"]


def test_of_a_slide_in_memory_nobody_knows_what_is_newer(results: Path) -> None:
    slide = dataclasses.replace(open_slide(results), is_zarr=False)
    assert {each.made for each in list_predictions(slide)[0]} == {0}
    gone = dataclasses.replace(slide, is_zarr=True, path=results.with_name("moved.zarr"))
    assert {each.made for each in list_predictions(gone)[0]} == {0}
