from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QGuiApplication

from napari_c2lst.plugin.keeping.panel import KeepPanel
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, spot_set_names


class Kept:
    """A Keep panel on a store that may be written into, and what was told."""

    def __init__(self, viewer: Any, store: Path) -> None:
        self.viewer, self.shared = viewer, shared_of(viewer)
        self.session = self.shared.session
        self.session.open(open_slide(store))
        self.panel = KeepPanel(viewer)
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(self.hear)

    def hear(self, level: str, message: str, hint: str) -> None:
        self.told.append((level, message, hint))

    def said(self, words: str) -> bool:
        return any(words in message for _, message, _ in self.told)


@pytest.fixture
def kept(make_napari_viewer: Callable[..., Any], store: Path, qtbot: Any) -> Iterator[Kept]:
    kept = Kept(make_napari_viewer(), store)
    qtbot.addWidget(kept.panel)
    yield kept
    kept.session.told.disconnect(kept.hear)


def test_saved_and_found_again(
    kept: Kept, store: Path, qtbot: Any, make_set: Callable[..., SpotSet], make_napari_viewer: Callable[..., Any]
) -> None:
    slide = kept.session.require_slide()
    gene = slide.sdata.tables["c2lst_spots_both"].var_names[1]
    kept.session.sets["mine"] = make_set(slide, "mine", 20)
    kept.session.sets_changed.emit()
    kept.session.show_gene(gene)
    kept.session.choose(np.arange(283) < 5)
    assert "new: mine" in kept.panel.save.state.text()
    layer = kept.shared.canvas.layer("image")
    layer.opacity = 0.35
    kept.panel.save.save_button.click()
    qtbot.waitUntil(lambda: kept.said("saved into"), timeout=60_000)
    assert spot_set_names(open_slide(store)) == ["mine", "train"]
    assert "all spot sets are saved" in kept.panel.save.state.text()

    fresh = make_napari_viewer()
    again = shared_of(fresh)
    again.session.open(open_slide(store))
    assert again.session.gene == gene
    assert again.session.chosen.sum() == 5
    assert set(again.session.sets) == {"mine", "train"}
    assert again.canvas.layer("image").opacity == 0.35


@pytest.mark.parametrize("agreed", [True, False])
def test_a_set_is_replaced_only_if_the_user_agrees(
    kept: Kept, store: Path, qtbot: Any, make_set: Callable[..., SpotSet], agreed: bool
) -> None:
    kept.session.sets["train"] = make_set(kept.session.require_slide(), "train", 60)
    asked: list[str] = []
    kept.panel.save.agree = lambda question: bool(asked.append(question)) or agreed
    kept.panel.save.save()
    assert "'train'" in asked[0]
    if agreed:
        qtbot.waitUntil(lambda: kept.said("saved into"), timeout=60_000)
    stored = open_slide(store)
    from napari_c2lst.slides.spots.spotsets import read_spot_set

    assert int(read_spot_set(stored, "train").mask.sum()) == (60 if agreed else 70)


def test_nothing_is_saved_while_a_job_writes_into_the_slide(kept: Kept) -> None:
    job = SimpleNamespace(task="predict", label="Predict", out=None, active=True, settings={}, state="running")
    kept.shared.jobs.jobs.append(job)
    kept.panel.save.renew()
    assert not kept.panel.save.save_button.isEnabled()
    assert "save when it has ended" in kept.panel.save.state.text()
    job.active = False
    kept.panel.save.renew()
    assert kept.panel.save.save_button.isEnabled()


def test_exports_from_the_panel(kept: Kept, tmp_path: Path, qtbot: Any) -> None:
    box, out = kept.panel.export, tmp_path / "out"
    assert box.predictions.currentText() == "both (spots)"
    assert box.buttons["predictions"].isEnabled()
    assert not box.buttons["scores"].isEnabled()
    for export, name in (
        (box.export_predictions, "p.csv"),
        (box.export_sets, "s.csv"),
        (box.export_regions, "r.geojson"),
        (box.export_picture, "v.png"),
    ):
        export(out / name)
        qtbot.waitUntil(lambda name=name: kept.said(f"{name}'"), timeout=60_000)
        assert (out / name).stat().st_size > 100


def test_nothing_is_offered_without_a_slide(kept: Kept) -> None:
    kept.session.close()
    assert kept.panel.save.state.text() == "No slide is open."
    assert not kept.panel.save.save_button.isEnabled()
    assert not any(kept.panel.export.buttons[name].isEnabled() for name in ("predictions", "scores", "sets", "figures"))
    assert not kept.panel.repeat.copy_button.isEnabled()
    kept.panel.save.save()
    assert kept.told[-1][1] == "no slide is open"


def test_a_step_is_copied_as_command_and_as_python(kept: Kept, store: Path) -> None:
    box = kept.panel.repeat
    names = [box.steps.itemText(i) for i in range(box.steps.count())]
    assert names == ["Describe the slide: B4", "Choose spots: train"]
    box.steps.setCurrentIndex(1)
    assert box.text.toPlainText() == f"c2lst select {store} --name train --fraction 0.25"
    box.copy_button.click()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == box.text.toPlainText()
    box.as_python.setChecked(True)
    assert "c2lst.select(" in box.text.toPlainText()
    assert "Python" in box.copy_button.text()


def test_a_copy_is_written_by_a_job(kept: Kept, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    signal = SimpleNamespace(connect=lambda _slot: None)

    def start(task: str, settings: dict[str, Any], label: str) -> Any:
        started.append((task, settings, label))
        return SimpleNamespace(finished=signal, failed=signal)

    with monkeypatch.context() as patched:
        patched.setattr(type(kept.shared.jobs), "start", lambda _desk, *args: start(*args))
        kept.panel.save.save_copy(store.parent / "copy.zarr")
    assert started == [("convert", {"slide": str(store), "out": str(store.parent / "copy.zarr")}, "Save as copy.zarr")]
