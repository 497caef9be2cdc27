"""Pictures that a job writes on its way, such as sample patches: the latest, and the ones before."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QPoint, QRect, QSize, Qt, QUrl
from qtpy.QtGui import QDesktopServices, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from .throttled import Throttled

_SCROLL_BAR = 24  # pixels, wider than any
_LARGEST = 260  # height of a picture, in pixels of the screen


class PatchStrip(QWidget):
    """The latest picture as wide as the panel; a slider goes back to earlier ones.

    Attributes
    ----------
    pictures
        Path and caption of each, oldest first.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures: list[tuple[Path, str]] = []
        self.picture = _Picture(self)
        self.caption = QLabel(self)
        self.caption.setWordWrap(True)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setToolTip("Earlier pictures")
        self.slider.setAccessibleName("Earlier pictures")
        self.slider.valueChanged.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for part in (self.picture, self.slider, self.caption):
            layout.addWidget(part)
        self.clear()

    def clear(self) -> None:
        """Forget the pictures of another job."""
        self.pictures.clear()
        self.slider.setRange(0, 0)
        self.hide()

    def feed(self, path: str, caption: str) -> None:
        """Take a picture; it is shown unless the user looks at an earlier one. What is no picture is passed over."""
        file = Path(path)
        if QPixmap(str(file)).isNull():
            return
        at_end = self.slider.value() == self.slider.maximum()
        self.pictures.append((file, caption))
        self.slider.setMaximum(len(self.pictures) - 1)
        self.slider.setVisible(len(self.pictures) > 1)
        if at_end:
            self.slider.setValue(self.slider.maximum())
            self._show(self.slider.value())
        self.show()

    def _show(self, index: int) -> None:
        if not 0 <= index < len(self.pictures):
            return
        path, caption = self.pictures[index]
        self.picture.show_file(path)
        self.caption.setText(caption[:1].upper() + caption[1:])
        self.picture.setAccessibleName(caption)


class _Picture(QWidget):
    """A picture that fills the width it gets; a double click opens its file.

    Its height follows its width a moment later, and only when that changed by more than a scroll bar: inside a scroll
    area a height that follows at once would flip the scroll bar on and off without end.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._fitted_to = 0
        self.whole = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("Double click to open the picture")
        self._fit_soon = Throttled(self._fit, self)

    def show_file(self, path: Path) -> None:
        self._path, self.whole = path, QPixmap(str(path))
        self._fitted_to = 0
        self._fit_soon.later()
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if abs(self.width() - self._fitted_to) > _SCROLL_BAR:
            self._fit_soon.later()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if not self.whole.isNull():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            shown = self.whole.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            painter.drawPixmap(QRect(QPoint(0, 0), shown), self.whole)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))

    def _fit(self) -> None:
        self._fitted_to = self.width()
        room = QSize(self.width(), _LARGEST)
        self.setFixedHeight(self.whole.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio).height())
