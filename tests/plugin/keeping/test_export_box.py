"""Exporting over files, to places that refuse, and at the wrong moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.keeping import export_box as boxes
from napari_c2lst.plugin.keeping import exporting
from napari_c2lst.plugin.keeping.export_box import ExportBox
from napari_c2lst.plugin.runs import RunInfo
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

IDS = np.array(["a", "b", "c"])


def predictions(*genes: str, n: int = 3) -> Any:
    import anndata

    table = anndata.AnnData(
        np.arange(n * len(genes), dtype=np.float32).reshape(n, len(genes)),
        obs=pd.DataFrame({"held_out": [True] * n}, index=[f"spot{i}" for i in range(n)]),
        var=pd.DataFrame(index=list(genes)),
    )
    table.obsm["spatial"] = np.zeros((n, 2))
    return table


class Bench:
    def __init__(self, make_slide: Callable[..., Slide], folder: Path) -> None:
        self.session = Session()
        self.tables: dict[str, Any] = {"c2lst_spots_both": predictions("FASN", "ERBB2")}
        self.session.open(make_slide(path=folder / "P12.zarr", sdata=SimpleNamespace(tables=self.tables)))
        mask = np.array([True, False, False])
        self.session.sets = {"train": SpotSet.of("train", IDS, mask, {})}
        shared: Any = SimpleNamespace(session=self.session, canvas=None)
        self.box = ExportBox(shared)
        self.asked: list[list[str]] = []
        self.answer = True
        self.box.agree = self.agree
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *said: self.told.append(said))

    def agree(self, paths: Sequence[Path]) -> bool:
        there = [path.name for path in paths if path.exists()]
        if there:
            self.asked.append(there)
        return self.answer or not there

    def evaluation(self, folder: Path, *names: str) -> None:
        """Offer the scores of a run."""
        run = folder / "scores"
        run.mkdir()
        for name in names:
            (run / f"{name}.csv").write_text(f"{name} of the run\n")
        result = {name: str(run / f"{name}.csv") for name in names}
        self.box.scores.clear()
        self.box.scores.addItem("scores", RunInfo(run, "evaluate", "finished", result=result))


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], tmp_path: Path) -> Bench:
    made = Bench(make_slide, tmp_path)
    qtbot.addWidget(made.box)
    return made


def told(bench: Bench, qtbot: Any, number: int = 1) -> list[tuple[str, str, str]]:
    qtbot.waitUntil(lambda: len(bench.told) >= number, timeout=10_000)
    return bench.told


def test_tables_beside_the_scores_are_not_replaced_unasked(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    """The dialog asked about the one name that was typed."""
    bench.evaluation(tmp_path, "scores", "genes")
    (tmp_path / "mine_genes.csv").write_text("mine")
    bench.answer = False
    bench.box.export_scores(tmp_path / "mine.csv")
    assert bench.asked == [["mine_genes.csv"]]
    assert not (tmp_path / "mine.csv").exists()
    bench.answer = True
    bench.box.export_scores(tmp_path / "mine.csv")
    assert told(bench, qtbot)[0][1] == f"wrote 2 files into '{tmp_path}'"
    assert (tmp_path / "mine_genes.csv").read_text() == "genes of the run\n"


def test_scores_that_are_gone_are_said(bench: Bench, tmp_path: Path) -> None:
    bench.evaluation(tmp_path, "genes")
    bench.box.export_scores(tmp_path / "mine.csv")
    assert bench.told[0][0] == "error"
    assert "holds no scores" in bench.told[0][1]


def test_scores_may_be_written_over_themselves(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    bench.evaluation(tmp_path, "scores")
    path = tmp_path / "scores" / "scores.csv"
    bench.box.export_scores(path)
    assert told(bench, qtbot)[0][0] == "info"
    assert path.read_text() == "scores of the run\n"


def test_figures_that_are_there_are_asked_about(
    bench: Bench, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []

    def draw(_slide: Any, folder: Path, **said: Any) -> list[Path]:
        drawn.append(said)
        return [folder / "spots_train.png"]

    monkeypatch.setattr(exporting, "export_figures", draw)
    (tmp_path / "spots_train.svg").touch()
    bench.answer = False
    bench.box.export_figures(tmp_path)
    assert (bench.asked, drawn) == ([["spots_train.svg"]], [])
    bench.answer = True
    bench.box.export_figures(tmp_path)
    told(bench, qtbot)
    assert drawn[0]["key"] == drawn[0]["gene"] == ""  # no gene is shown: no map
    bench.session.show_gene("FASN")
    bench.box.export_figures(tmp_path)
    told(bench, qtbot, 2)
    assert (drawn[1]["key"], drawn[1]["gene"]) == ("c2lst_spots_both", "FASN")


def test_a_gene_that_was_not_predicted_has_no_map_and_stops_nothing(bench: Bench) -> None:
    bench.session.show_gene("KRT5")
    assert bench.box.figures.text() == "the sets on the tissue"
    bench.session.show_gene("ERBB2")
    assert bench.box.figures.text() == "the sets on the tissue, map of ERBB2"
    bench.tables["c2lst_spots_other"] = predictions("KRT5")
    bench.session.show_gene("KRT5")
    assert "map of KRT5" in bench.box.figures.text()
    assert bench.box._map_key() == "c2lst_spots_other"


def test_files_of_figures_have_names_that_are_files(tmp_path: Path) -> None:
    paths = exporting.files_of_figures(tmp_path, sets={}, gene="CD3/../x y")
    assert [path.parent for path in paths] == [tmp_path, tmp_path]
    assert [path.name for path in paths] == ["map_CD3_.._x_y.png", "map_CD3_.._x_y.svg"]
    assert exporting.files_of_figures(tmp_path, sets={}, gene="HLA-DRA")[0].name == "map_HLA-DRA.png"


def test_what_came_of_each_export_is_told(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    """Also when the next one is begun at once: a file that was not written must not look as if it was."""
    (tmp_path / "file").touch()
    bench.box.export_sets(tmp_path / "file" / "s.csv")
    bench.box.export_predictions(tmp_path / "p.csv")
    bench.box.export_sets(tmp_path / "s.csv")
    said = told(bench, qtbot, 3)
    assert sorted(level for level, *_ in said) == ["error", "info", "info"]
    (problem,) = [message for level, message, _ in said if level == "error"]
    assert "cannot be written" in problem
    assert (tmp_path / "p.csv").is_file()
    assert (tmp_path / "s.csv").is_file()


def test_a_folder_of_that_name_is_one_sentence(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "s.csv").mkdir()
    bench.box.export_sets(tmp_path / "s.csv")
    level, message, hint = told(bench, qtbot)[0]
    assert level == "error"
    assert "is a folder" in message
    assert hint
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]  # nothing temporary stays


@pytest.mark.parametrize(("typed", "written"), [("", None), ("mine", "mine.csv"), ("mine.txt", "mine.txt")])
def test_files_get_their_endings(
    bench: Bench, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, written: str | None
) -> None:
    answer = (str(tmp_path / typed) if typed else "", "")
    monkeypatch.setattr(boxes.QFileDialog, "getSaveFileName", lambda *_: answer)
    bench.box.buttons["sets"].click()
    if written is None:
        assert bench.told == []
    else:
        assert told(bench, qtbot)[0][1] == f"wrote '{tmp_path / written}'"


def test_predictions_that_went_meanwhile(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    del bench.tables["c2lst_spots_both"]
    bench.box.export_predictions(tmp_path / "p.csv")
    assert "has no predictions 'c2lst_spots_both'" in told(bench, qtbot)[0][1]
    bench.session.results_changed.emit()
    assert bench.box.predictions.currentText() == "none yet"
    assert not bench.box.buttons["predictions"].isEnabled()


def test_what_was_chosen_stays_chosen_while_it_is_there(bench: Bench) -> None:
    bench.tables |= {"c2lst_grid_both_table": predictions("FASN"), "c2lst_spots_other": predictions("FASN")}
    bench.session.results_changed.emit()
    box = bench.box.predictions
    assert [box.itemText(i) for i in range(box.count())] == ["both (spots)", "both (grid)", "other (spots)"]
    box.setCurrentIndex(2)
    bench.session.sets_changed.emit()
    assert box.currentText() == "other (spots)"
    del bench.tables["c2lst_spots_other"]
    bench.session.results_changed.emit()
    assert box.currentText() == "both (spots)"


def test_a_slide_without_spots_or_microns(bench: Bench, make_slide: Callable[..., Slide]) -> None:
    bench.session.open(make_slide(spots=None, sdata=SimpleNamespace(tables={})))
    assert not any(button.isEnabled() for name, button in bench.box.buttons.items() if name != "picture")
    bench.session.open(make_slide(microns=None, sdata=SimpleNamespace(tables={})))
    bench.session.sets = {"train": SpotSet.of("train", IDS, np.array([True, False, False]), {})}
    bench.session.sets_changed.emit()
    assert bench.box.buttons["sets"].isEnabled()
    assert not bench.box.buttons["figures"].isEnabled()  # a figure needs its scale


def test_every_button_can_be_told_from_the_others(bench: Bench) -> None:
    names = [button.accessibleName() for button in bench.box.buttons.values()]
    assert len(set(names)) == len(names) == 6


def test_sets_without_microns_have_places_in_pixels_alone(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    sets = {"train": SpotSet.of("train", IDS, np.array([True, False, False]), {})}
    (path,) = exporting.export_sets(make_slide(microns=None), sets, tmp_path / "s.csv")
    assert path.read_text().splitlines()[:2] == ["spot,x_px,y_px,train", "a,100.00,100.00,selected"]
    with pytest.raises(InputError, match="is there already"):
        exporting.export_sets(make_slide(), sets, path)


def test_predictions_on_no_and_on_one_position(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    for n, lines in (
        (0, ["name,x,y,held_out,FASN"]),
        (1, ["name,x,y,held_out,FASN", "spot0,0.0000,0.0000,True,0.0000"]),
    ):
        slide = make_slide(sdata=SimpleNamespace(tables={"c2lst_spots_x": predictions("FASN", n=n)}))
        (path,) = exporting.export_predictions(slide, "c2lst_spots_x", tmp_path / f"{n}.csv")
        assert path.read_text().splitlines() == lines
