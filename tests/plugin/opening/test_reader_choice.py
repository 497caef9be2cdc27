"""The offer to open every .zarr with this plugin, with and without another plugin that reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from napari.settings import NapariSettings
from npe2 import DynamicPlugin

from napari_c2lst.plugin.opening import reader_choice
from napari_c2lst.plugin.opening.reader_choice import ReaderOffer, always_ours, is_asked, other_readers


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> NapariSettings:
    """Settings of napari that are nobody's."""
    made = NapariSettings(None)
    made.plugins.extension2reader = {}
    monkeypatch.setattr("napari.settings.get_settings", lambda: made)
    return made


@pytest.fixture
def another(settings: NapariSettings) -> Any:
    """Another plugin that reads .zarr."""
    with DynamicPlugin("another-reader") as plugin:
        plugin.manifest.display_name = "Another reader"

        @plugin.contribute.reader(filename_patterns=["*.zarr"], accepts_directories=True)
        def get_reader(path: str) -> None:
            raise AssertionError(f"nobody asked for '{path}'")

        yield plugin


@pytest.fixture
def offer(qtbot: Any) -> ReaderOffer:
    made = ReaderOffer()
    qtbot.addWidget(made)
    return made


def test_alone_there_is_nothing_to_offer(
    settings: NapariSettings, monkeypatch: pytest.MonkeyPatch, offer: ReaderOffer
) -> None:
    monkeypatch.setattr(reader_choice, "other_readers", list)
    offer.look()
    assert not is_asked()
    assert offer.isHidden()


def test_readers_of_other_files_are_no_matter(settings: NapariSettings) -> None:
    before = other_readers()
    with DynamicPlugin("tables") as plugin:

        @plugin.contribute.reader(filename_patterns=["*.csv", "*.zarr.zip"])
        def get_reader(path: str) -> None:
            return None

        assert other_readers() == before


def test_napari_itself_and_this_plugin_are_no_others(settings: NapariSettings) -> None:
    assert not {"napari", "builtins", "napari-c2lst", "C2L-ST"} & set(other_readers())


@pytest.mark.usefixtures("another")
def test_nothing_is_set_before_the_button_is_pressed(settings: NapariSettings, offer: ReaderOffer) -> None:
    assert is_asked()
    assert not offer.isHidden()
    assert "Another reader" in offer.words.text()
    assert settings.plugins.extension2reader == {}


@pytest.mark.usefixtures("another")
def test_the_button_sets_the_preference_and_leaves_the_others(settings: NapariSettings, offer: ReaderOffer) -> None:
    settings.plugins.extension2reader = {"*.tif": "napari"}
    offer.button.click()
    assert settings.plugins.extension2reader == {"*.tif": "napari", f"*.zarr{os.sep}": "napari-c2lst"}
    assert not is_asked()
    assert offer.button.isHidden()
    assert not offer.isHidden()  # it says how to take it back
    assert "File > Preferences > Plugins" in offer.words.text()


@pytest.mark.usefixtures("another")
@pytest.mark.parametrize("pattern", [f"*.zarr{os.sep}", f"slide.*{os.sep}", "*"])
def test_a_choice_of_the_users_is_respected(settings: NapariSettings, offer: ReaderOffer, pattern: str) -> None:
    settings.plugins.extension2reader = {pattern: "another-reader"}
    offer.look()
    assert not is_asked()
    assert offer.isHidden()


@pytest.mark.usefixtures("another")
@pytest.mark.parametrize("pattern", ["*.zarr", f"/data/one.zarr{os.sep}", "*.tif"])
def test_what_napari_remembers_of_one_folder_or_of_files_is_no_choice_for_stores(
    settings: NapariSettings, pattern: str
) -> None:
    settings.plugins.extension2reader = {pattern: "another-reader"}
    assert is_asked()


@pytest.mark.usefixtures("another")
def test_napari_takes_the_preference_as_it_is_written(
    settings: NapariSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from napari.plugins import utils

    monkeypatch.setattr(utils, "get_settings", lambda: settings)
    (tmp_path / "slide.zarr").mkdir()
    (tmp_path / "slide").mkdir()
    assert utils.get_preferred_reader(tmp_path / "slide.zarr") is None
    always_ours()
    assert utils.get_preferred_reader(tmp_path / "slide.zarr") == "napari-c2lst"
    assert utils.get_preferred_reader(tmp_path / "slide") is None
