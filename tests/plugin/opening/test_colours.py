"""How spots are coloured: the controls say what the layer shows, and offer nothing that is not there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from tests.slides.stores import make_tiny_store

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.colouring import COLORMAPS
from napari_c2lst.plugin.opening.colours import SpotColours, _note
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Slide:
    """63 spots, 40 genes."""
    return open_slide(make_tiny_store(tmp_path_factory.mktemp("tiny") / "tiny.zarr"))


@pytest.fixture
def colours(qtbot: Any) -> Iterator[SpotColours]:
    canvas = Canvas(ViewerModel(), Session())
    made = SpotColours(canvas)
    qtbot.addWidget(made)
    yield made
    canvas.close()


@pytest.fixture
def shown(colours: SpotColours, tiny: Slide, qtbot: Any) -> SpotColours:
    colours.canvas.session.open(tiny)
    assert colours.gene.placeholderText() == "Reading the counts …"
    qtbot.waitUntil(lambda: colours.colouring.columns is not None, timeout=30_000)
    return colours


def controls(colours: SpotColours) -> list[bool]:
    return [each.isEnabled() for each in (colours.gene, colours.colormap, colours.contrast, colours.opacity)]


def test_nothing_can_be_set_before_there_is_something_to_colour(colours: SpotColours) -> None:
    assert controls(colours) == [False] * 4
    assert colours.note.isHidden()
    assert [colours.colormap.itemText(i) for i in range(colours.colormap.count())] == list(COLORMAPS)
    assert not any(colours.colormap.itemIcon(i).isNull() for i in range(colours.colormap.count()))


def test_a_slide_brings_its_genes_and_shows_one(shown: SpotColours, tiny: Slide) -> None:
    assert controls(shown) == [True] * 4
    assert len(shown.gene.index) == 40
    assert shown.gene.text() == shown.canvas.session.gene != ""
    low, high = shown.colouring.limits
    assert shown.ends.text() == f"{low:.2f} to {high:.2f}, log(1 + counts)"


def test_a_gene_is_chosen_by_keyboard(shown: SpotColours, tiny: Slide, qtbot: Any) -> None:
    gene = tiny.genes[7]
    shown.gene.selectAll()
    qtbot.keyClicks(shown.gene, gene.lower())
    qtbot.keyClick(shown.gene, Qt.Key.Key_Return)
    assert shown.canvas.session.gene == gene
    assert shown.canvas.layer("spots").metadata["c2lst"]["shows"] == gene
    shown.gene.clear()
    qtbot.keyClick(shown.gene, Qt.Key.Key_Return)
    assert shown.canvas.session.gene == ""
    assert controls(shown) == [True] * 4


def test_what_another_panel_sets_is_shown_and_not_set_again(shown: SpotColours) -> None:
    told: list[int] = []
    shown.colouring.changed.connect(lambda: told.append(1))
    shown.colouring.set_opacity(0.3)
    shown.colouring.set_colormap("magma")
    shown.colouring.set_limits(0.5, 1.25)
    assert (shown.opacity.value(), shown.colormap.currentText()) == (30, "magma")
    assert shown.contrast.value() == pytest.approx((0.5, 1.25))
    assert shown.ends.text().startswith("0.50 to 1.25")
    assert len(told) == 3


def test_opacity_and_colours_are_set_by_keys(shown: SpotColours, qtbot: Any) -> None:
    layer = shown.canvas.layer("spots")
    qtbot.keyClick(shown.opacity, Qt.Key.Key_End)
    assert layer.opacity == 1.0
    qtbot.keyClick(shown.opacity, Qt.Key.Key_Home)
    assert layer.opacity == 0.0
    qtbot.keyClick(shown.colormap, Qt.Key.Key_End)
    assert layer.face_colormap.name == shown.colormap.currentText() == COLORMAPS[-1]


def test_a_gene_without_a_molecule_has_a_range_all_the_same(shown: SpotColours) -> None:
    shown.colouring.show_values(np.zeros(63, dtype=np.float32), "nothing")
    low, high = shown.contrast.value()
    assert low <= high
    assert shown.contrast.maximum() > shown.contrast.minimum()


def test_an_image_alone_takes_the_controls_away(shown: SpotColours, make_slide: Callable[..., Slide]) -> None:
    shown.canvas.session.open(make_slide(spots=None))
    assert controls(shown) == [False] * 4
    assert (shown.gene.text(), shown.gene.placeholderText()) == ("", "No genes")


def test_counts_that_cannot_be_read_are_told_where_they_are_missed(
    colours: SpotColours, tiny: Slide, qtbot: Any
) -> None:
    counts = tiny.sdata.tables["table"].copy()
    counts.X = counts.X * -1.0
    broken = type("Broken", (), {"tables": {"table": counts}, "shapes": tiny.sdata.shapes, "images": tiny.sdata.images})
    colours.canvas.session.open(dataclasses.replace(tiny, sdata=broken()))
    qtbot.waitUntil(lambda: colours.colouring.problem != "", timeout=30_000)
    assert colours.note.text().startswith("Spots cannot be coloured: ")
    assert not colours.note.isHidden()
    assert controls(colours) == [False] * 4


def test_bins_are_explained() -> None:
    assert "squares" in _note("", bins=True)
    assert _note("", bins=False) == ""
    assert _note("the counts cannot be read", bins=True) == "Spots cannot be coloured: the counts cannot be read."


def test_controls_that_are_gone_hear_nothing(shown: SpotColours, qtbot: Any) -> None:
    late = SpotColours(shown.canvas)
    assert late.gene.text() == shown.gene.text()
    with qtbot.waitSignal(late.destroyed):
        late.deleteLater()
    with qtbot.captureExceptions() as raised:
        shown.colouring.set_opacity(0.2)
        shown.canvas.session.close()
    assert raised == []
    assert shown.opacity.value() == 20


def test_every_control_has_a_name_and_a_tip(colours: SpotColours, tmp_path: Path) -> None:
    for each in (colours.gene, colours.colormap, colours.contrast, colours.opacity):
        assert each.accessibleName()
        assert each.toolTip()
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus
