"""What came of something that is read beside the GUI's thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_c2lst.plugin.selecting.choice import Choice, How
from napari_c2lst.plugin.session import Session

WAIT_MS = 30_000


class Waiting:
    """A choice among three spots, and what was told while it was made."""

    def __init__(self) -> None:
        self.session, self.choice, self.how = Session(), Choice(3), How.ADD
        self.told: list[tuple[str, str, str]] = []

    def hear(self, *said: str) -> None:
        level, message, hint = said
        self.told.append((level, message, hint))

    def ended(self, qtbot: Any) -> tuple[str, str, str]:
        """Wait for what came of it."""
        qtbot.waitUntil(lambda: bool(self.told) and self.told[-1][0] in ("success", "error"), timeout=WAIT_MS)
        return self.told[-1]

    @property
    def spots(self) -> list[int]:
        return np.flatnonzero(self.choice.mask).tolist()
