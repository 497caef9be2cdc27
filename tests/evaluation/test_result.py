from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.evaluation.result import EvaluateResult


def result(**more: Any) -> EvaluateResult:
    files = {name: Path("out") / f"{name}.csv" for name in ("scores", "genes", "differences")}
    given = {"page": Path("out/scores.md"), "figures": [], "table": ["arm  MAE", "real 0.5"], "notes": [], **more}
    return EvaluateResult(**files, **given)


def test_the_table_comes_first_and_the_page_last() -> None:
    lines = result().lines()
    assert lines[:2] == ["arm  MAE", "real 0.5"]
    assert lines[-1] == "page with figures: out/scores.md"
    assert lines[2:-1] == ["", "table: out/scores.csv", "genes: out/genes.csv"]


def test_what_to_bear_in_mind_stands_under_the_table() -> None:
    lines = result(notes=["only one split was scored", "spots: Größe 55 µm"]).lines()
    assert lines[2:5] == ["Note: only one split was scored.", "Note: spots: Größe 55 µm.", ""]


@pytest.mark.parametrize("composition", [None, Path("out/nuclei 1.csv")])
def test_nuclei_are_named_only_where_they_were_counted(composition: Path | None) -> None:
    named = [line for line in result(composition=composition).lines() if line.startswith("nuclei")]
    assert named == ([f"nuclei: {composition}"] if composition else [])


def test_it_comes_back_from_json_as_it_was() -> None:
    one = result(figures=[Path("out/figures/Karte ä.png")], notes=["one"], composition=Path("out/nuclei.csv"))
    assert EvaluateResult.model_validate_json(one.model_dump_json()) == one


def test_a_window_can_read_it_without_torch() -> None:
    code = "import sys; import napari_c2lst.evaluation.result; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
