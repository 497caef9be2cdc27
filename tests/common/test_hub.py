from __future__ import annotations

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers

from napari_c2lst.common.hub import no_telemetry


def told_to_the_hub() -> str:
    return build_hf_headers(library_name="napari-c2lst")["user-agent"]


def test_the_hub_is_told_nothing_of_the_computer_although_its_library_was_imported_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    assert "torch/" in told_to_the_hub()  # what the library says by itself
    with no_telemetry():
        assert "torch/" not in told_to_the_hub()
    assert "torch/" in told_to_the_hub()  # what others do in the same process is theirs


def test_after_an_error_all_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    with pytest.raises(OSError, match="no network"), no_telemetry():
        raise OSError("no network")
    assert constants.HF_HUB_DISABLE_TELEMETRY is False


def test_who_has_switched_it_off_keeps_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    with no_telemetry():
        pass
    assert constants.HF_HUB_DISABLE_TELEMETRY is True
