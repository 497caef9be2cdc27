"""Which plugin opens a .zarr that is dropped: an offer to make it this one, where napari would ask each time."""

from __future__ import annotations

import os
from fnmatch import fnmatch

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

OURS = "napari-c2lst"
PATTERN = f"*.zarr{os.sep}"  # napari writes folders so; what its own dialog remembers is one folder, by its whole path
_NAPARI = {"napari", "builtins"}  # its own readers step back where others are


def other_readers() -> list[str]:
    """Names of the other plugins that say they read .zarr."""
    from npe2 import PluginManager

    return sorted(
        manifest.display_name or manifest.name
        for manifest in PluginManager.instance().iter_manifests(disabled=False)
        if manifest.name not in {OURS, *_NAPARI}
        and any(
            fnmatch("slide.zarr", pattern)
            for reader in manifest.contributions.readers or ()
            for pattern in reader.filename_patterns
        )
    )


def is_asked() -> bool:
    """Whether napari asks which plugin is to open a .zarr: others read it, and the user has not chosen one."""
    from napari.settings import get_settings

    chosen = get_settings().plugins.extension2reader
    return not any(fnmatch(f"slide.zarr{os.sep}", pattern) for pattern in chosen) and bool(other_readers())


def always_ours() -> None:
    """Write into the user's settings of napari that this plugin opens .zarr; only when they say so."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    plugins.extension2reader = {**plugins.extension2reader, PATTERN: OURS}


class ReaderOffer(QWidget):
    """Says that napari asks, and why, with a button that ends it; hidden where it does not ask."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.button = QPushButton("Always open .&zarr with C2L-ST")
        self.button.setToolTip("Sets napari's own preference; File > Preferences > Plugins takes it back")
        self.button.clicked.connect(self._on_pressed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addWidget(self.button)
        self.look()

    def look(self) -> None:
        """Look anew whether there is anything to offer."""
        asked = is_asked()
        if asked:
            others = " and ".join(other_readers())
            reads = "read" if " and " in others else "reads"
            self.words.setText(
                f"When you drop a .zarr, napari asks which plugin is to open it: {others} {reads} it too."
            )
        self.button.setVisible(asked)
        self.setVisible(asked)

    def _on_pressed(self) -> None:
        always_ours()
        self.button.hide()
        self.words.setText("C2L-ST opens every .zarr that you drop. To change that: File > Preferences > Plugins.")
