"""Progress with time left."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_c2lst.common.durations import in_words

from .throttled import Throttled
from .time_left import TimeLeft


class ProgressLine(QWidget):
    """A bar, and below it '120 of 300 steps, about 3 min left'."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(12)
        self.bar.setAccessibleName("Progress")
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.bar)
        layout.addWidget(self.text)
        self._left = TimeLeft()
        self._show = Throttled(self._draw, self)

    def begin(self, text: str = "") -> None:
        """Busy: something goes on, how far is not known yet."""
        self._left = TimeLeft()
        self._show.cancel()
        self.bar.setRange(0, 0)
        self.text.setText(text)

    def say(self, text: str) -> None:
        """Another text below the bar, until the next progress."""
        self.text.setText(text)

    def feed(self, done: int, total: int, what: str = "") -> None:
        """Take a progress event; drawn a few times a second."""
        self._show.later(done, total, what, self._left.feed(done, total, what))

    def end(self, full: bool) -> None:
        """The job is over."""
        self._show.flush()
        if self.bar.maximum() == 0:
            self.bar.setRange(0, 1)
        self.bar.setValue(self.bar.maximum() if full else self.bar.value())
        if full:
            self.text.setText("")

    def _draw(self, done: int, total: int, what: str, left: float | None) -> None:
        self.bar.setRange(0, max(total, 0))
        self.bar.setValue(min(done, total))
        self.text.setText(progress_text(done, total, what, left))


def progress_text(done: int, total: int, what: str, left: float | None) -> str:
    """'120 of 300 steps, about 3 min left'."""
    count = f"{done:,} of {total:,} {what}".strip() if total > 0 else f"{done:,} {what}".strip()
    return count if left is None or done >= total else f"{count}, about {in_words(left)} left"
