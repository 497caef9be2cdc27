from __future__ import annotations

from pathlib import Path

import pytest

from napari_c2lst.cells.fetching import HUB_FILE, HUB_ID, fetch_pannuke, is_fetched
from napari_c2lst.common.errors import InputError


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, "--allow-download --accept-licence"), ({"allow_download": True}, "add --accept-licence")],
)
def test_nothing_is_fetched_unasked(given: dict[str, bool], missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_: pytest.fail("fetched"))
    with pytest.raises(InputError, match=r"CC BY-NC-SA 4.0: not for commercial use") as caught:
        fetch_pannuke(**{"allow_download": False, "accept_licence": False, **given})
    assert caught.value.hint.endswith(missing)


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_what: str) -> str:
        raise OSError("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(InputError, match=r"could not be fetched .* no route"):
        fetch_pannuke(allow_download=True, accept_licence=True)


def test_the_file_of_the_hub_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *what: str(tmp_path.joinpath(*what)))
    assert fetch_pannuke(allow_download=True, accept_licence=True) == tmp_path / HUB_ID / HUB_FILE


def test_a_file_of_that_name_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_fetched("pannuke")
    assert not is_fetched("pannuke.tar")
    (tmp_path / "pannuke").mkdir()
    assert not is_fetched("pannuke")
