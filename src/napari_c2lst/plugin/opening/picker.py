"""Where a slide lies: type, browse, or drop; a folder that is a slide is opened, any other is looked into."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, QUrl, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.reading import can_open
from napari_c2lst.slides.images.image_files import IMAGE_ENDINGS

_IMAGES = " ".join(f"*{ending} *{ending.upper()}" for ending in IMAGE_ENDINGS)


def ask_image(parent: QWidget | None, folder: Path) -> Path | None:
    """The image file the user chose; None when the dialog was cancelled."""
    path, _ = QFileDialog.getOpenFileName(parent, "Full-resolution image", str(folder), f"Images ({_IMAGES})")
    return Path(path) if path else None


class SlideDialog(QFileDialog):
    """Files and folders in one dialog: going into a folder that is a slide chooses it."""

    def __init__(self, parent: QWidget | None = None, folder: str = "") -> None:
        super().__init__(parent, "Open slide", folder)
        self.chosen = ""
        # the system's own dialogs show either files or folders
        self.setOption(QFileDialog.Option.DontUseNativeDialog, True)
        self.setFileMode(QFileDialog.FileMode.ExistingFile)
        self.setNameFilters([f"Slides (*.zarr *.h5ad *.tsv *.tsv.gz {_IMAGES})", "All files (*)"])
        self.directoryEntered.connect(self._on_entered)

    def _on_entered(self, folder: str) -> None:
        if can_open(Path(folder)):
            self.chosen = folder
            self.done(QDialog.DialogCode.Accepted)

    def accept(self) -> None:
        names = self.selectedFiles()
        if names and (not Path(names[0]).is_dir() or can_open(Path(names[0]))):
            self.chosen = names[0]
            self.done(QDialog.DialogCode.Accepted)
            return
        super().accept()

    @classmethod
    def ask(cls, parent: QWidget | None = None, folder: str = "") -> str:
        """The path that was chosen; empty when the dialog was cancelled."""
        dialog = cls(parent, folder)
        dialog.exec()
        chosen = dialog.chosen
        dialog.deleteLater()
        return chosen


class PathLine(QWidget):
    """A line for the path of a slide, which also takes a drop, and a button to browse.

    Attributes
    ----------
    chosen
        Signal: a path to open.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Path of a slide, or drop one here")
        self.line.setToolTip("A SpatialData .zarr, a Space Ranger or HEST folder, a legacy ST folder, or an image")
        self.line.setAccessibleName("Path of the slide")
        self.line.setAcceptDrops(False)  # the whole widget takes drops, also of folders
        self.browse = QPushButton("&Open slide …")
        self.browse.setToolTip("Choose a file or a folder; a folder that is a slide is opened as one")
        self.setAcceptDrops(True)
        self.line.returnPressed.connect(self._on_return)
        self.browse.clicked.connect(self._on_browse)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.line)
        self.sample = QPushButton("S&ample slide")
        self.sample.setToolTip("her2st B4: breast cancer, 283 spots; it comes with the package")
        row.addWidget(self.sample)
        self.layer = QPushButton("&Use layer")
        self.layer.setToolTip("Take the image layer that is chosen in napari's list, one that lies in memory only")
        self.layer.setAccessibleName("Use this image layer")
        row.addWidget(self.layer)
        row.setStretch(0, 1)

    def _on_return(self) -> None:
        path = self.line.text().strip().strip("'\"")
        if path.startswith("file:"):  # as some file managers copy it
            path = QUrl(path).toLocalFile()
        if path:
            self.chosen.emit(path)

    def _on_browse(self) -> None:
        before = Path(self.line.text()).parent if self.line.text() else Path.home()
        path = SlideDialog.ask(self, str(before))
        if path:
            self.line.setText(path)
            self.chosen.emit(path)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and event.mimeData() is not None and event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is None or event.mimeData() is None:
            return
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.line.setText(paths[0])
            self.chosen.emit(paths[0])
