"""An image layer of napari that comes from no file becomes the open slide."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._source import layer_source
from qtpy.QtWidgets import QInputDialog
from tests.slides.inputs import picture, write_tiff

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.opening.from_layer import (
    _file_name,
    ask_microns,
    checked,
    file_of,
    microns_of,
    use_active_layer,
    use_layer,
)
from napari_c2lst.plugin.opening.opener import opener_of
from napari_c2lst.plugin.shared import Shared, forget, shared_of


@pytest.fixture
def shared_viewer(qtbot: Any) -> Iterator[Shared]:
    viewer = ViewerModel()
    yield shared_of(viewer)
    forget(viewer)


@pytest.fixture
def told(shared_viewer: Shared) -> list[tuple[str, str, str]]:
    heard: list[tuple[str, str, str]] = []
    shared_viewer.session.told.connect(lambda *said: heard.append(said))
    return heard


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The dialog for the size of a pixel answers what stands here: value, agreed; what it was asked is added."""
    answer: list[Any] = [0.0, True]

    def get_double(*args: Any) -> tuple[float, bool]:
        answer.append(args)
        return answer[0], answer[1]

    monkeypatch.setattr(QInputDialog, "getDouble", get_double)
    return answer


def tissue() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (300, 420, 3), dtype=np.uint8)


def opened(shared: Shared, qtbot: Any) -> Any:
    qtbot.waitUntil(lambda: opener_of(shared).path is None, timeout=60_000)
    return shared.session.slide


def test_a_layer_in_microns_is_opened_as_it_is(
    shared_viewer: Shared, told: list[Any], asked: list[Any], qtbot: Any
) -> None:
    layer = shared_viewer.canvas.viewer.add_image(tissue(), name="my/tissue [1]", scale=(0.5, 0.5), units="um")
    assert use_layer(shared_viewer)
    slide = opened(shared_viewer, qtbot)
    assert (slide.name, slide.pyramid.shape, slide.is_zarr) == ("my_tissue_1", (300, 420), True)
    assert slide.mpp == pytest.approx(0.5)
    assert len(asked) == 2  # nothing was asked: the layer says it
    np.testing.assert_array_equal(np.moveaxis(slide.pyramid.levels[0].compute(), 0, -1), layer.data)
    assert not layer.visible
    assert shared_viewer.jobs.temporary.holds(slide.path)
    level, message, hint = told[-1]
    assert level == "warning"
    assert "temporary store" in message
    assert "Keep" in hint
    # a dock that is closed does not take it along: the slide is still in the window, and may have results
    shared_viewer.jobs.close()
    assert slide.path.is_dir()
    # it is removed at the end
    shared_viewer.jobs.end()
    assert not slide.path.exists()


def test_what_the_layer_does_not_say_is_asked(shared_viewer: Shared, asked: list[Any], qtbot: Any) -> None:
    shared_viewer.canvas.viewer.add_image(tissue(), name="tissue", scale=(0.3, 0.3))
    asked[0] = 0.25
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot).mpp == pytest.approx(0.25)
    assert 0.3 in asked[2]  # a scale without a unit is offered, not taken


def test_a_size_that_nobody_knows_stays_open(shared_viewer: Shared, asked: list[Any], qtbot: Any) -> None:
    shared_viewer.canvas.viewer.add_image(tissue(), name="tissue")
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot).microns is None


def test_cancelling_the_question_changes_nothing(shared_viewer: Shared, asked: list[Any]) -> None:
    layer = shared_viewer.canvas.viewer.add_image(tissue(), name="tissue")
    asked[1] = False
    assert not use_layer(shared_viewer)
    assert opener_of(shared_viewer).path is None
    assert shared_viewer.session.slide is None
    assert layer.visible


def test_of_a_pyramid_the_finest_level_is_taken(shared_viewer: Shared, asked: list[Any], qtbot: Any) -> None:
    image = tissue()
    shared_viewer.canvas.viewer.add_image([image, image[::2, ::2]], name="tissue", multiscale=True, rgb=True)
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot).pyramid.shape == (300, 420)


def test_a_single_image_need_not_be_chosen(shared_viewer: Shared, asked: list[Any], qtbot: Any) -> None:
    viewer = shared_viewer.canvas.viewer
    viewer.add_image(tissue(), name="tissue")
    viewer.add_points(np.zeros((1, 2)))
    viewer.layers.selection.clear()
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot).name == "tissue"


@pytest.mark.parametrize(
    ("add", "message", "hint"),
    [
        (lambda v: None, "no image layer is chosen", "list of layers"),
        (lambda v: v.add_points(np.zeros((1, 2)), name="dots"), "'dots' holds points", "list of layers"),
        (lambda v: v.add_labels(np.zeros((9, 9), int), name="parts"), "'parts' holds labels", "list of layers"),
        (lambda v: v.add_image(np.zeros((9, 9), np.uint8), name="g"), "'g' is a grey image", "Merge to RGB"),
        (lambda v: v.add_image(np.zeros((9, 9, 3)), name="f", rgb=True), "'f' holds float64 numbers", "uint8"),
        (lambda v: v.add_image(np.zeros((2, 9, 9, 3), np.uint8), name="s", rgb=True), "'s' is a stack", "single"),
        (
            lambda v: v.add_image(np.zeros((9, 9, 3), np.uint8), name="w", rgb=True, scale=(0.5, 0.7), units="um"),
            "'w' are not square: 0.5 by 0.7",
            "resample",
        ),
    ],
)
def test_a_layer_that_cannot_be_a_slide_is_refused_in_words(
    shared_viewer: Shared, told: list[Any], asked: list[Any], add: Any, message: str, hint: str
) -> None:
    layer = add(shared_viewer.canvas.viewer)
    assert not use_layer(shared_viewer)
    ((level, said, do),) = told
    assert level == "error"
    assert message in said
    assert hint in do
    assert layer is None or layer.visible


def test_a_layer_of_ours_is_refused() -> None:
    layer: Any = type("Image", (), {"name": "B4", "metadata": {"c2lst": {"key": "image"}}})()
    with pytest.raises(InputError, match="belongs to the slide that is open"):
        checked(layer)


def test_a_layer_of_a_file_that_is_a_slide_is_no_copy(tmp_path: Path) -> None:
    legacy: Any = SimpleNamespace(source=SimpleNamespace(path=str(tmp_path / "gone.svs")))
    assert file_of(legacy) is None
    assert file_of(SimpleNamespace(source=SimpleNamespace(path=None))) is None
    assert file_of(SimpleNamespace()) is None


def test_units_of_length_are_brought_to_microns(shared_viewer: Shared) -> None:
    viewer = shared_viewer.canvas.viewer
    assert microns_of(viewer.add_image(tissue(), scale=(5e-4, 5e-4), units="mm")) == pytest.approx(0.5)
    assert microns_of(viewer.add_image(tissue(), scale=(0.5, 0.5))) is None


@pytest.mark.parametrize(("name", "file"), [("a b", "a_b"), ("../x", "x"), ("[]", "layer"), ("größe.1", "größe.1")])
def test_names_of_layers_are_safe_as_names_of_files(name: str, file: str) -> None:
    assert _file_name(name) == file


def test_the_command_takes_the_viewer_in_front(
    shared_viewer: Shared, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    use_active_layer()  # there is no viewer: nothing to do
    assert told == []
    monkeypatch.setattr("napari.current_viewer", lambda: shared_viewer.canvas.viewer)
    use_active_layer()
    assert told[0][1] == "no image layer is chosen"


def test_a_layer_whose_copy_cannot_be_written_stays_to_be_seen(
    shared_viewer: Shared, told: list[Any], asked: list[Any], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_viewer.jobs.temporary, "write", full)
    layer = shared_viewer.canvas.viewer.add_image(tissue(), name="tissue")
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot) is None
    assert layer.visible
    ((level, message, hint),) = told
    assert level == "error"
    assert message.startswith("the layer cannot be written to a temporary store (OSError: ")
    assert hint == "free some space on the disk, then try again"


def test_leaving_it_leaves_the_layer_as_it_is(
    shared_viewer: Shared, told: list[Any], asked: list[Any], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(shared_viewer.jobs.temporary, "write", lambda *_: go.wait(10))
    layer = shared_viewer.canvas.viewer.add_image(tissue(), name="tissue")
    assert use_layer(shared_viewer)
    opener = opener_of(shared_viewer)
    opener.cancel()
    go.set()
    qtbot.waitUntil(lambda: not opener._thread._workers)
    assert (layer.visible, told, shared_viewer.session.slide) == (True, [], None)


def test_a_picture_with_transparency_is_opened_without_it(shared_viewer: Shared, asked: list[Any], qtbot: Any) -> None:
    """As screenshots and pasted pictures are."""
    image = np.concatenate([tissue(), np.full((300, 420, 1), 128, np.uint8)], axis=2)
    shared_viewer.canvas.viewer.add_image(image, name="pasted", rgb=True)
    assert use_layer(shared_viewer)
    level = opened(shared_viewer, qtbot).pyramid.levels[0].compute()
    np.testing.assert_array_equal(np.moveaxis(level, 0, -1), image[..., :3])


def test_the_file_of_a_layer_is_opened_itself(
    shared_viewer: Shared, told: list[Any], asked: list[Any], qtbot: Any, tmp_path: Path
) -> None:
    file = write_tiff(tmp_path / "scan.tif", picture())
    with layer_source(path=str(file)):
        layer = shared_viewer.canvas.viewer.add_image(picture(), name="scan")
    assert use_layer(shared_viewer)
    assert opened(shared_viewer, qtbot).path == file
    assert not layer.visible
    assert told == []  # nothing is temporary
    assert len(asked) == 2  # and nothing was asked


def test_a_mirrored_layer_has_the_same_pixels(shared_viewer: Shared) -> None:
    layer = shared_viewer.canvas.viewer.add_image(tissue(), scale=(-0.5, 0.5), units="um")
    assert microns_of(layer) == pytest.approx(0.5)


def test_what_the_scale_says_is_offered_with_the_name_of_the_layer(shared_viewer: Shared, asked: list[Any]) -> None:
    layer = shared_viewer.canvas.viewer.add_image(tissue(), name="tissue")
    asked[0] = 0.0
    assert ask_microns(layer, None) == (True, None)
    assert asked[2][2] == "Microns per pixel of 'tissue' (0 = not known):"
    assert asked[2][3] == 0.0  # a scale of 1 says nothing
