from __future__ import annotations

from typing import Any

import pytest

from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.telling import Notices, as_text

notifications = pytest.importorskip("napari.utils.notifications")


@pytest.mark.parametrize(
    ("message", "hint", "text"),
    [
        ("no slide is open", "open one first", "No slide is open. Open one first."),
        ("slide 'P12' has no spots", "", "Slide 'P12' has no spots."),
        (
            "'/data/a.zarr' is there already",
            "choose another name",
            "'/data/a.zarr' is there already. Choose another name.",
        ),
        ("mpp is missing!", "Plugins > C2L-ST > Open slide...", "Mpp is missing! Plugins > C2L-ST > Open slide..."),
        ("", "do this", "Do this."),
    ],
)
def test_sentences(message: str, hint: str, text: str) -> None:
    assert as_text(message, hint) == text


def test_napari_shows_what_is_told_without_a_traceback() -> None:
    session = Session()
    notices = Notices(session)
    seen: list[Any] = []
    manager = notifications.notification_manager
    manager.notification_ready.connect(seen.append)
    try:
        for level in ("info", "warning", "error", "odd"):
            session.tell(level, f"{level} happened", "go on")
        notices.close()
        notices.close()
        session.tell("error", "not heard")
    finally:
        manager.notification_ready.disconnect(seen.append)
    assert [str(each.severity) for each in seen] == ["info", "warning", "error", "info"]
    assert [each.message for each in seen[:2]] == ["Info happened. Go on.", "Warning happened. Go on."]
    # only an exception brings napari's button "View Traceback"
    assert not any(isinstance(each, notifications.ErrorNotification) for each in seen)
