"""How long a step will take, said beside Run before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.jobs.estimating import Amounts, estimate
from napari_c2lst.jobs.pace import Timed, earlier_work

if TYPE_CHECKING:
    from napari_c2lst.plugin.forms.form import SettingsForm
    from napari_c2lst.plugin.session import Session

UNKNOWN = "Time is told once it runs"


class TimeBefore(QLabel):
    """'About 4 min, as your last run went'; what was never measured on this computer is not guessed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._earlier: list[Timed] = []
        self._amounts = Amounts()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName("Time it will take")
        # the buttons beside it keep their width
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def look(self, task: str, session: Session) -> None:
        """See what was done on the open slide, and how large it is."""
        self._earlier = earlier_work(session.runs_folder, task)
        slide = session.slide
        spots = 0 if slide is None or slide.spots is None else len(slide.spots)
        self._amounts = Amounts(spots, {name: int(each.mask.sum()) for name, each in session.sets.items()})

    def show_for(self, task: str, form: SettingsForm) -> None:
        """Say how long the task takes with the settings of a form; nothing while these cannot be used."""
        try:
            settings = form.resolve().model_dump(mode="json")
        except InputError:
            self._say("", "")
            return
        found = estimate(task, settings, self._earlier, self._amounts)
        if found is None:
            self._say(UNKNOWN, "Nothing like it was done on this slide with this computer yet.")
        else:
            words = found.words()
            self._say(words[:1].upper() + words[1:], found.basis())

    def _say(self, text: str, why: str) -> None:
        self.setText(text)
        self.setToolTip(why)
        self.setAccessibleDescription(why)
