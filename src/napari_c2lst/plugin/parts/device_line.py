"""The device that tasks compute on, and how much memory is free. Torch is asked in a process of its own, if at all."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

import psutil
from qtpy.QtCore import QProcess, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from napari_c2lst.common.accelerator import device_kind
from napari_c2lst.common.errors import InputError

_REFRESH_MS = 5000
_GB = 1e9
_NO_ANSWER = {"problem": "The GPU did not say how much memory is free: press ⟳ to ask again"}


class DeviceLine(QWidget):
    """'CPU, 8 cores: 12 of 31 GB free', or the GPU's name and memory.

    Attributes
    ----------
    device
        The device that is shown, as tasks call it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.device = "auto"
        self._gpu: Mapping[str, Any] = {}
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setAccessibleName("Device")
        self.button = QToolButton(self)
        self.button.setText("⟳")
        self.button.setAutoRaise(True)
        self.button.setToolTip("Ask the device again for its free memory")
        self.button.setAccessibleName("Ask the device again")
        self.button.clicked.connect(self.refresh)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self._draw)
        self._asked: QProcess | None = None

    def show_device(self, device: str) -> None:
        """Show another device."""
        if device != self.device:
            self.device, self._gpu, self._asked = device, {}, None
            self.refresh()

    def refresh(self) -> None:
        """Ask again: the computer at once, a GPU in a process of its own."""
        self._draw()
        if self._kind() == "cuda" and self._asked is None:
            self._ask()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _kind(self) -> str:
        try:
            return device_kind(self.device)
        except InputError as error:
            return error.message

    def _ask(self) -> None:
        self._asked = process = QProcess(self)
        process.finished.connect(self._on_answer)
        process.errorOccurred.connect(self._on_answer)
        process.start(sys.executable, ["-m", "napari_c2lst.jobs.device_report", self.device])
        process.closeWriteChannel()

    def _on_answer(self, *_: Any) -> None:
        if self._asked is None or self.sender() is not self._asked:  # another device was chosen since
            return
        process, self._asked = self._asked, None
        process.deleteLater()
        try:
            answer = json.loads(bytes(process.readAllStandardOutput()).decode(errors="replace"))
        except ValueError:
            answer = {}
        self._gpu = answer if isinstance(answer, dict) and answer else _NO_ANSWER
        self._draw()

    def _draw(self) -> None:
        kind = self._kind()
        self.text.setText(device_text(kind, self._gpu))
        self.button.setVisible(kind == "cuda")


def device_text(kind: str, gpu: Mapping[str, Any]) -> str:
    """A device and its free memory in words.

    Parameters
    ----------
    kind
        "cpu", "cuda", "mps", or what is wrong with the device's name.
    gpu
        What `napari_c2lst.jobs.device_report` said; empty while it has not answered.
    """
    memory = psutil.virtual_memory()
    free = f"{memory.available / _GB:.1f} of {memory.total / _GB:.0f} GB free"
    if kind == "cpu":
        return f"CPU, {os.cpu_count()} cores: {free}"
    if kind == "mps":
        return f"{platform.processor() or 'Apple'} GPU: {free}"
    if kind != "cuda":
        return kind[:1].upper() + kind[1:]
    if gpu.get("problem"):
        problem = str(gpu["problem"])
        return problem[:1].upper() + problem[1:]
    name = str(gpu.get("name", "GPU")).split(",")[0]
    if gpu.get("free") is None:
        return f"{name}: asking for its free memory…" if not gpu else name
    return f"{name}: {gpu['free'] / _GB:.0f} of {gpu['total'] / _GB:.0f} GB free; computer: {free}"
