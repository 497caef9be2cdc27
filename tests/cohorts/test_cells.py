"""The task `cells` in a cohort, for real: a tiny HoVer-Net of random weights in children of Dask workers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spatialdata
import torch

from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts
from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.weights import save_hovernet
from napari_c2lst.cohorts.running import CohortResult, run
from napari_c2lst.cohorts.settings import CohortSettings
from napari_c2lst.common.errors import RunFailure
from napari_c2lst.common.reporter import RecordingReporter, Reporter

pytestmark = pytest.mark.slow

CELLS = {"device": "cpu", "precision": "fp32", "workers": 1, "tile_px": 128, "batch": 2, "name": "tiny"}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """At the tiny slide's own 2.5 um/px, so that it has few tiles."""
    torch.manual_seed(1)
    facts = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, width=1 / 16, mpp=2.5, name="tiny")
    return save_hovernet(HoVerNet(nr_types=5, width=1 / 16).eval(), facts, tmp_path / "tiny.safetensors")


def state_of(out: Path, task: str) -> dict[str, str]:
    with (out / "summary.csv").open(newline="") as stream:
        return next(row for row in csv.DictReader(stream) if row["task"] == task)


def test_genes_and_nuclei_of_a_slide(
    slides: list[Path],
    write_table: Callable[..., Path],
    settings: Callable[..., CohortSettings],
    weights: Path,
    tmp_path: Path,
) -> None:
    given = settings(
        write_table([{"slide": slides[0]}]),
        tasks=["predict", "cells"],
        cells={**CELLS, "weights": str(weights)},
        workers=1,
    )
    result = run(given, Reporter())
    assert isinstance(result, CohortResult)
    assert [state_of(tmp_path / "out", task)["state"] for task in ("predict", "cells")] == ["finished", "finished"]
    written = spatialdata.read_zarr(slides[0])
    assert any(name.startswith("c2lst_spots_") for name in written.tables)
    assert len(written.shapes["c2lst_cells_tiny"]) == len(written.tables["c2lst_cells_tiny_table"]) > 0
    assert len(written.tables["c2lst_composition_tiny"]) == 63
    record = json.loads((tmp_path / "out" / "slides" / "a.cells.json").read_text())
    assert record["result"]["bad_tiles"] == 0
    assert run(given, Reporter()).model_dump()["done_before"] == 1


def test_bad_tiles_are_told_and_tried_again(
    slides: list[Path], write_table: Callable[..., Path], weights: Path, tmp_path: Path
) -> None:
    table = write_table([{"slide": slides[0].name}])
    given = CohortSettings.resolve(
        table=table, out=tmp_path / "out", tasks=["cells"], cells={**CELLS, "weights": str(weights)}, workers=1
    )
    torn = tear_a_chunk(slides[0])
    whole = torn.read_bytes()
    torn.write_bytes(b"torn")
    reporter = RecordingReporter()
    with pytest.raises(RunFailure) as caught:  # so the command's exit code is 1
        run(given, reporter)
    bad = json.loads((tmp_path / "out" / "slides" / "a.cells.json").read_text())["result"]["bad_tiles"]
    assert bad >= 1
    words = f"finished with {bad} bad tile"
    assert caught.value.message.startswith(f"1 of 1 slides finished with bad tiles: a, cells: {words}")
    assert any(text.startswith(f"a: cells {words}") for text in reporter.messages)
    row = state_of(tmp_path / "out", "cells")
    assert row["state"].startswith(words)
    assert "cannot be read" in row["message"]
    assert "c2lst_cells_tiny" in spatialdata.read_zarr(slides[0]).shapes, "what could be read has its nuclei"

    torn.write_bytes(whole)  # put right, and the same command again
    result = run(given, Reporter())
    assert isinstance(result, CohortResult)
    assert result.done_before == 0
    assert state_of(tmp_path / "out", "cells")["state"] == "finished"


def tear_a_chunk(store: Path) -> Path:
    """The file of the last chunk of the image at full size."""
    level = min((p for p in (store / "images").glob("*/*") if p.is_dir()), key=lambda p: p.name)
    return sorted(p for p in level.rglob("*") if p.is_file() and not p.name.startswith((".", "zarr.json")))[-1]
