"""The process of the window never imports torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ACTING = Path(__file__).parents[1] / "jobs" / "acting_child.py"

CODE = """
import sys
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication
app = QApplication([])
from napari.components import ViewerModel
from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.forms.form import SettingsForm
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.evaluate import EvaluatePanel
from napari_c2lst.plugin.steps.predict import PredictPanel
from napari_c2lst.plugin.steps.sample import SamplePanel
from napari_c2lst.plugin.steps.train import TrainPanel
viewer = ViewerModel()
panels = [cls(viewer) for cls in (AdaptPanel, SamplePanel, TrainPanel, PredictPanel, EvaluatePanel)]
for panel in panels:
    panel.show()
    panel.run()
forms = [SettingsForm(task.settings_class()) for task in TASKS.values()]
shared = shared_of(viewer)
shared.jobs.command = [sys.executable, sys.argv[1], "bad_input"]
job = shared.jobs.start("adapt", {"preset": "auto"})
loop = QEventLoop()
job.ended.connect(loop.quit)
QTimer.singleShot(60000, loop.quit)
loop.exec()
assert job.state == "failed", job.state
assert "torch" not in sys.modules, "torch was imported"
"""


def test_panels_forms_and_jobs_import_no_torch(qapp: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(ACTING)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
