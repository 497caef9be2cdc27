"""The plots, by what they hold: lines, dots, words, colours of the theme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QPalette, QWheelEvent
from qtpy.QtWidgets import QWidget
from tests.plugin.judging.made import score, spots, usual

from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.plugin.judging.plots import GeneScatter, ScorePlot

MEASURED = np.array([0.0, 1.0, 2.0, 3.0], np.float32)


@pytest.fixture
def r_plot(qtbot: Any) -> ScorePlot:
    plot = ScorePlot("r")
    qtbot.addWidget(plot)
    return plot


@pytest.fixture
def mae_plot(qtbot: Any) -> ScorePlot:
    plot = ScorePlot("mae")
    qtbot.addWidget(plot)
    return plot


@pytest.fixture
def scatter(qtbot: Any) -> GeneScatter:
    plot = GeneScatter()
    qtbot.addWidget(plot)
    return plot


def items(plot: pg.PlotWidget, kind: type) -> list[Any]:
    return [item for item in plot.plotItem.items if type(item) is kind]


def dots(plot: pg.PlotWidget) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for item in items(plot, pg.ScatterPlotItem) for x, y in zip(*item.getData())]  # noqa: B905


def names(plot: ScorePlot) -> list[str]:
    return [text for _, text in plot.getPlotItem().getAxis("left")._tickLevels[0]]


def show(scatter: GeneScatter, measured: Any, predicted: Any) -> None:
    measured, predicted = np.asarray(measured, np.float32), np.asarray(predicted, np.float32)
    scatter.show_gene(measured, predicted, np.arange(len(measured)) + 10, "#0072B2")


# -- scores


def test_every_arm_is_a_row_with_a_dot_at_its_value(mae_plot: ScorePlot) -> None:
    mae_plot.show_scores(usual().scores)
    assert names(mae_plot) == [arm_named(key).label for key in ("mean", "median", "ridge", "real")]
    assert dots(mae_plot) == [(0.52, 0), (0.5, -1), (0.48, -2), (0.45, -3)]


def test_the_error_to_beat_is_the_medians_the_r_to_beat_is_0(mae_plot: ScorePlot, r_plot: ScorePlot) -> None:
    for plot, at in ((mae_plot, 0.5), (r_plot, 0.0)):
        plot.show_scores(usual().scores)
        assert [line.value() for line in items(plot, pg.InfiniteLine)] == [at]


def test_without_a_median_there_is_no_line_to_beat(mae_plot: ScorePlot) -> None:
    mae_plot.show_scores([score("real", 0.4, spots(0.3))])
    assert items(mae_plot, pg.InfiniteLine) == []


def test_a_bar_is_the_interval(r_plot: ScorePlot) -> None:
    r_plot.show_scores([score("real", 0.4, Interval(0.3, 0.1, 0.6, 42, "spots"))])
    (bar,) = items(r_plot, pg.PlotDataItem)
    assert bar.getData()[0].tolist() == [0.1, 0.6]


def test_a_single_run_of_several_has_no_bar(r_plot: ScorePlot) -> None:
    r_plot.show_scores([score("real", 0.4, Interval(0.3, None, None, 1, "runs"))])
    assert items(r_plot, pg.PlotDataItem) == []
    assert dots(r_plot) == [(0.3, 0)]


def test_no_r_is_said_and_no_dot_at_0(r_plot: ScorePlot) -> None:
    r_plot.show_scores([score("median"), score("real", 0.4, spots(0.3))])
    assert [text.toPlainText() for text in items(r_plot, pg.TextItem)] == ["none: the same everywhere"]
    assert dots(r_plot) == [(0.3, -1)]


def test_scores_without_any_r_can_be_drawn(r_plot: ScorePlot) -> None:
    r_plot.show_scores([score("mean"), score("median")])
    r_plot.grab()
    assert dots(r_plot) == []
    assert len(items(r_plot, pg.TextItem)) == 2


def test_other_scores_leave_nothing_behind(r_plot: ScorePlot) -> None:
    r_plot.show_scores(usual().scores)
    tall = r_plot.height()
    r_plot.show_scores([score("real", 0.4, spots(0.3))])
    assert names(r_plot) == ["real only"]
    assert len(dots(r_plot)) == 1
    assert r_plot.height() < tall
    r_plot.show_scores([])
    assert names(r_plot) == dots(r_plot) == []


def test_it_follows_the_theme(r_plot: ScorePlot) -> None:
    r_plot.show_scores(usual().scores)
    for text, ground in (("#ffffff", "#262930"), ("#101010", "#fafafa")):
        palette = QPalette(r_plot.palette())
        palette.setColor(QPalette.ColorRole.WindowText, QColor(text))
        palette.setColor(QPalette.ColorRole.Window, QColor(ground))
        r_plot.setPalette(palette)
        assert r_plot.backgroundBrush().color() == QColor(ground)
        assert r_plot.getPlotItem().getAxis("left").textPen().color().name() == text
        assert len(dots(r_plot)) == 2  # drawn anew, not on top
        words = items(r_plot, pg.TextItem)[0].color
        assert words.name() == text


def test_the_wheel_is_left_to_the_panel(qtbot: Any, r_plot: ScorePlot) -> None:
    r_plot.show_scores(usual().scores)
    before = r_plot.viewRange()
    at = QPointF(20, 20)
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False
    )
    event.accept()
    r_plot.wheelEvent(event)
    assert not event.isAccepted()
    assert r_plot.viewRange() == before


def test_plots_have_names(r_plot: ScorePlot, mae_plot: ScorePlot, scatter: GeneScatter) -> None:
    said = {plot.accessibleName() for plot in (r_plot, mae_plot, scatter)}
    assert said == {"pattern (r), larger is better", "error (MAE), smaller is better", "Measured against predicted"}


# -- one gene


def test_a_spot_is_a_dot(scatter: GeneScatter) -> None:
    show(scatter, MEASURED, 0.5 * MEASURED + 0.25)
    assert dots(scatter) == [(0, 0.25), (1, 0.75), (2, 1.25), (3, 1.75)]
    assert scatter.r == pytest.approx(1.0)


def test_where_nothing_varies_there_is_no_r(scatter: GeneScatter) -> None:
    show(scatter, MEASURED, np.ones(4))
    assert scatter.r is None
    show(scatter, np.zeros(4), np.zeros(4))
    assert scatter.r is None
    scatter.grab()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_spot_without_a_number_is_left_out_and_counted(scatter: GeneScatter, bad: float) -> None:
    show(scatter, [0, 1, 2, bad, 3], [0, 1, bad, 2, 3])
    assert dots(scatter) == [(0, 0), (1, 1), (3, 3)]
    assert scatter.left_out == 2
    assert scatter.r == pytest.approx(1.0)
    assert scatter._shown[2].tolist() == [10, 11, 14]  # type: ignore[index]  # spots stay with their dots
    show(scatter, MEASURED, MEASURED)
    assert scatter.left_out == 0


@pytest.mark.parametrize("n", [0, 1])
def test_few_spots_have_no_r(scatter: GeneScatter, n: int) -> None:
    show(scatter, MEASURED[1 : 1 + n], MEASURED[1 : 1 + n])
    assert scatter.r is None
    assert len(dots(scatter)) == n
    scatter.grab()


def test_nothing_but_nan_can_be_drawn(scatter: GeneScatter) -> None:
    show(scatter, [np.nan, np.nan], [1, 2])
    scatter.grab()
    assert dots(scatter) == []
    assert scatter.left_out == 2


def test_both_axes_have_one_scale_from_0(scatter: GeneScatter) -> None:
    show(scatter, [0, 1], [0, 6])
    (x0, x1), (y0, y1) = scatter.viewRange()
    assert (x0, x1) == pytest.approx((y0, y1))
    assert x0 <= 0
    assert x1 >= 6
    (line,) = items(scatter, pg.PlotDataItem)
    assert line.getData()[0].tolist() == line.getData()[1].tolist()


def test_a_click_on_a_dot_is_its_spot(qtbot: Any, scatter: GeneScatter) -> None:
    show(scatter, MEASURED, MEASURED)
    (item,) = items(scatter, pg.ScatterPlotItem)
    with qtbot.waitSignal(scatter.spot_clicked) as heard:
        item.sigClicked.emit(item, item.points()[2:], None)
    assert heard.args == [12]
    with qtbot.assertNotEmitted(scatter.spot_clicked):
        item.sigClicked.emit(item, [], None)


def test_another_gene_replaces_the_dots(scatter: GeneScatter) -> None:
    show(scatter, MEASURED, MEASURED)
    show(scatter, [0.0, 1.0], [1.0, 0.0])
    assert dots(scatter) == [(0, 1), (1, 0)]
    assert scatter.r == pytest.approx(-1.0)


def test_a_plot_can_be_made_before_its_panel_is_shown(qtbot: Any) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    plot = GeneScatter(parent)
    show(plot, MEASURED, MEASURED)
    plot.setPalette(QPalette(QColor("black")))
    assert len(dots(plot)) == 4
