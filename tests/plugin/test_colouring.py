from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from tests.slides.inputs import make_hd

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin import colouring as module
from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide


@pytest.fixture
def canvas(qapp: Any) -> Iterator[Canvas]:
    made = Canvas(ViewerModel(), Session())
    yield made
    made.close()


@pytest.fixture
def b4(canvas: Canvas, shared: Path, qtbot: Any) -> Canvas:
    canvas.session.open(open_slide(shared / "her2st" / "B4"))
    qtbot.waitUntil(lambda: canvas.colouring.columns is not None, timeout=30_000)
    return canvas


@pytest.fixture
def hd(canvas: Canvas, tmp_path: Path, qtbot: Any) -> Canvas:
    canvas.session.open(open_slide(make_hd(tmp_path / "hd")))
    qtbot.waitUntil(lambda: canvas.colouring.columns is not None, timeout=30_000)
    return canvas


def values(canvas: Canvas) -> np.ndarray:
    return canvas.layer("spots").features["value"].to_numpy()


def test_the_first_gene_comes_by_itself(b4: Canvas) -> None:
    assert b4.session.gene == "SCGB2A2"
    assert b4.layer("spots").face_color_mode == "colormap"
    assert b4.layer("spots").metadata["c2lst"]["shows"] == "SCGB2A2"


def test_spots_show_log_counts_of_the_gene(b4: Canvas) -> None:
    b4.session.show_gene("ERBB2")
    slide = b4.session.slide
    wanted = np.log1p(slide.counts()[:, slide.genes.index("ERBB2")].toarray().ravel())
    assert np.allclose(values(b4), wanted)
    assert b4.layer("spots").face_contrast_limits == pytest.approx(b4.colouring.limits)
    assert b4.colouring.range[1] == pytest.approx(wanted.max(), rel=1e-5)


def test_a_gene_that_is_asked_for_before_the_counts_are_there(canvas: Canvas, shared: Path, qtbot: Any) -> None:
    canvas.session.open(open_slide(shared / "her2st" / "B4"))
    canvas.session.show_gene("ACTB")
    assert canvas.colouring.reading
    qtbot.waitUntil(lambda: not canvas.colouring.reading, timeout=30_000)
    assert canvas.layer("spots").metadata["c2lst"]["shows"] == "ACTB"


def test_without_a_gene_or_with_an_unknown_one_spots_are_rings(b4: Canvas) -> None:
    for gene in ("", "NOSUCHGENE"):
        b4.session.show_gene("ACTB")
        b4.session.show_gene(gene)
        assert (b4.layer("spots").face_color[:, 3] == 0).all()


def test_other_values_and_back_to_the_gene(b4: Canvas) -> None:
    b4.session.show_gene("ACTB")
    before = values(b4).copy()
    b4.show_spots_colours(np.linspace(-1, 1, 283), "score")
    assert values(b4)[0] == -1
    assert b4.layer("spots").metadata["c2lst"]["shows"] == "score"
    b4.show_spots_colours(None)
    assert np.array_equal(values(b4), before)


def test_a_deleted_layer_is_made_again_with_the_next_gene(b4: Canvas) -> None:
    b4.viewer.layers.remove(b4.layer("spots"))
    b4.session.show_gene("ACTB")
    assert b4.layer("spots").face_color_mode == "colormap"
    assert b4.keys() == ["image", "spots"]


def test_hidden_spots_take_the_colours_once_they_are_seen(b4: Canvas) -> None:
    """A map covers them, and every switch of genes would cost their colours too."""
    layer = b4.layer("spots")
    layer.visible = False
    before = values(b4).copy()
    b4.session.show_gene("ERBB2")
    b4.session.show_gene("GAPDH")
    assert np.array_equal(values(b4), before)
    layer.visible = True
    slide = b4.session.slide
    assert np.allclose(values(b4), np.log1p(slide.counts()[:, slide.genes.index("GAPDH")].toarray().ravel()))
    assert layer.metadata["c2lst"]["shows"] == "GAPDH"
    b4.session.show_gene("ERBB2")
    assert layer.metadata["c2lst"]["shows"] == "ERBB2"


def test_hidden_spots_of_a_slide_that_was_left_take_no_colours(b4: Canvas, shared: Path, qtbot: Any) -> None:
    old = b4.layer("spots")
    old.visible = False
    b4.session.show_gene("ERBB2")
    b4.session.open(open_slide(shared / "st2k-mob" / "MOB1"))
    qtbot.waitUntil(lambda: b4.colouring.columns is not None, timeout=30_000)
    shown = b4.layer("spots").metadata["c2lst"]["shows"]
    old.visible = True
    assert b4.layer("spots") is not old
    assert b4.layer("spots").metadata["c2lst"]["shows"] == shown


def test_contrast_colormap_and_opacity_are_those_of_the_layer(b4: Canvas) -> None:
    heard: list[int] = []
    b4.colouring.changed.connect(lambda: heard.append(1))
    before = b4.layer("spots").face_color.copy()
    b4.colouring.set_limits(1.0, 2.0)
    assert not np.allclose(b4.layer("spots").face_color, before)
    b4.colouring.set_colormap("magma")
    b4.colouring.set_opacity(0.4)
    layer = b4.layer("spots")
    assert (layer.face_contrast_limits, layer.face_colormap.name, layer.opacity) == ((1, 2), "magma", 0.4)
    assert len(heard) == 3
    b4.colouring.set_limits(3.0, 3.0)
    assert b4.layer("spots").face_contrast_limits[1] > 3
    b4.session.show_gene("ACTB")
    assert b4.layer("spots").face_colormap.name == "magma"


def test_the_whole_matrix_is_read_once(b4: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the counts were read again")

    monkeypatch.setattr(type(b4.session.slide), "counts", never)
    monkeypatch.setattr(module, "_read", never)
    for gene in ("ACTB", "ERBB2", "SCGB2A2"):
        b4.session.show_gene(gene)


def test_bins_are_an_image_and_their_squares_are_outlines(hd: Canvas) -> None:
    assert hd.keys() == ["image", "bins", "spots"]
    bins = hd.layer("bins")
    assert bins.data.shape == (30, 30)
    assert np.allclose(bins.data, np.log(2))
    assert (hd.layer("spots").face_color[:, 3] == 0).all()
    # the corner of the array lies at the right edge of the picture, as its bins do
    slide = hd.session.slide
    first = bins.data_to_world((0, 0))
    assert np.allclose(first, (np.array([8.0, 640 - 8.0]) / 2 - 0.5) * slide.mpp)


def test_bins_follow_the_gene_in_place(hd: Canvas) -> None:
    layer = hd.layer("bins")
    hd.session.show_gene("G3")
    assert hd.layer("bins") is layer
    hd.colouring.set_opacity(0.5)
    hd.colouring.set_colormap("cividis")
    assert (layer.opacity, layer.colormap.name) == (0.5, "cividis")
    hd.session.show_gene("")
    assert hd.layer("bins") is None
    hd.session.show_gene("G1")
    assert hd.layer("bins") is not None
    hd.show_spots_colours(np.arange(len(hd.session.slide.spots), dtype=float), "score")
    assert hd.layer("bins") is None
    assert values(hd)[3] == 3


def test_very_many_spots_are_a_raster(b4: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_POINTS", 100)
    b4.session.show_gene("ACTB")
    layer = b4.layer("spots")
    assert type(layer).__name__ == "Image"
    again = layer.data.copy()
    b4.session.show_gene("ERBB2")
    assert b4.layer("spots") is layer
    assert not np.array_equal(layer.data, again, equal_nan=True)
    b4.session.show_gene("")
    assert np.unique(layer.data[np.isfinite(layer.data)]).tolist() == [1.0]


def test_counts_that_cannot_be_used_are_said_once(
    canvas: Canvas, shared: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_slide: Any) -> None:
        raise InputError("table 'table' holds values that are not whole numbers", "give raw counts in X")

    monkeypatch.setattr(module, "_read", refuse)
    told: list[Any] = []
    canvas.session.told.connect(lambda *said: told.append(said))
    canvas.session.open(open_slide(shared / "her2st" / "B4"))
    qtbot.waitUntil(lambda: bool(told))
    assert told == [("warning", "table 'table' holds values that are not whole numbers", "give raw counts in X")]
    assert canvas.colouring.problem == told[0][1]
    canvas.session.show_gene("ACTB")
    assert canvas.keys() == ["image", "spots"]  # the slide is there all the same


def test_counts_of_a_slide_that_was_left_are_not_heard(canvas: Canvas, shared: Path, qtbot: Any) -> None:
    canvas.session.open(open_slide(shared / "her2st" / "B4"))
    canvas.session.close()
    qtbot.wait(300)
    assert canvas.colouring.columns is None
    assert canvas.session.gene == ""
