"""The panel "Evaluate": which weights it offers to compare nuclei by, and what follows from the choice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.plugin.steps.evaluate import EvaluatePanel
from napari_c2lst.plugin.steps.offers import weights_of


@pytest.fixture
def panel(qtbot: Any, viewer: ViewerModel) -> EvaluatePanel:
    panel = EvaluatePanel(viewer)
    qtbot.addWidget(panel)
    panel.resize(380, 640)
    panel.show()
    return panel


def offered(panel: EvaluatePanel) -> list[str]:
    box = panel.form.field("cells").native
    return [box.itemText(i) for i in range(box.count())]


def test_nuclei_are_not_compared_unless_weights_are_chosen(panel: EvaluatePanel) -> None:
    assert offered(panel)[0] == "no"
    assert offered(panel)[-1] == "A file…"
    assert any(label.startswith("PanNuke") for label in offered(panel))
    assert panel.form.values()["cells"] is None
    assert "cells" not in panel.form.problems()
    assert "cells" not in panel.form.explicit()


def test_what_the_weights_need_is_asked_for_only_then(panel: EvaluatePanel) -> None:
    def hidden() -> list[str]:
        names = ("cells_patches", "type_info", "accept_licence", "allow_download")
        return [name for name in names if panel.form.field(name).native.isHidden()]

    assert hidden() == ["cells_patches", "type_info", "accept_licence", "allow_download"]
    panel.form.set_values({"cells": EMBEDDED})
    assert hidden() == ["type_info", "accept_licence", "allow_download"]
    panel.form.set_values({"cells": PANNUKE})
    assert hidden() == ["type_info"]
    panel.form.set_values({"cells": "mine.tar"})
    assert hidden() == ["accept_licence", "allow_download"]


def test_a_choice_that_was_made_stays_when_runs_are_looked_for_again(panel: EvaluatePanel) -> None:
    panel.form.set_values({"cells": "mine.tar"})
    panel.renew()
    assert panel.form.values()["cells"] == "mine.tar"
    assert "mine.tar" in offered(panel)


def test_terms_of_weights_are_read_before_they_are_used(panel: EvaluatePanel, viewer: ViewerModel) -> None:
    panel.form.set_values({"cells": PANNUKE})
    panel.run()
    assert panel.ui.message.level == "warning"
    assert "CC BY-NC-SA" in panel.ui.message.message
    panel.run()  # read; now the slide is missed, as without them
    assert panel.ui.message.level == "error"
    assert shared_of(viewer).jobs.jobs == []


def test_own_trainings_are_offered_by_their_runs(tmp_path: Any) -> None:
    run = tmp_path / "mine"
    run.mkdir()
    (run / "config.toml").write_text('kind = "train-cells"\n[settings]\n')
    session: Any = SimpleNamespace(runs_folder=tmp_path)
    assert str(run) not in [value for _, value in weights_of(session)]  # not finished yet
    (run / "result.json").write_text("{}")
    assert ("Own: mine", str(run)) in weights_of(session)


def test_what_is_scored_while_no_box_is_checked(panel: EvaluatePanel) -> None:
    runs, predictors = panel.form.field("runs"), panel.form.field("predictors")
    runs.offer([("both, at spots", "both"), ("real, at spots", "real")])
    predictors.offer([("predictor", "predictor")])
    panel._on_form()

    def last() -> str:
        return str(runs.native.item(runs.native.count() - 1).text())

    assert last() == "(no box ticked: all of these)"
    assert panel.form.values()["runs"] == []
    predictors.native.item(0).setCheckState(Qt.CheckState.Checked)
    assert last() == "(none of these)"
    predictors.native.item(0).setCheckState(Qt.CheckState.Unchecked)
    runs.native.item(1).setCheckState(Qt.CheckState.Checked)
    assert last() == "real, at spots"
    assert panel.form.values()["runs"] == ["real"]
