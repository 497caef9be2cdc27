from __future__ import annotations

import numpy as np

from napari_c2lst.evaluation.figures.scatter import scatter_figure

GENES = [f"G{i}" for i in range(20)]
MEASURED = np.linspace(0.1, 2, 20)


def draw(**predicted: np.ndarray):
    return scatter_figure(GENES, MEASURED, predicted, dict.fromkeys(predicted, "#0072B2"))


def test_one_panel_an_arm_one_dot_a_gene() -> None:
    figure = draw(a=MEASURED * 0.9, b=MEASURED)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    np.testing.assert_allclose(figure.axes[0].collections[0].get_offsets(), np.stack([MEASURED, MEASURED * 0.9], 1))


def test_both_axes_have_one_scale_and_hold_every_gene() -> None:
    axes = draw(a=MEASURED * 1.5).axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_ylim()[1] > 3


def test_the_bias_is_said() -> None:
    text = draw(a=MEASURED - 0.1).axes[0].texts[0].get_text()
    assert "20 genes" in text
    assert "mean gap -0.100" in text


def test_the_furthest_genes_are_named() -> None:
    predicted = MEASURED.copy()
    predicted[[12, 17]] += [0.5, -0.5]
    named = {text.get_text() for text in draw(a=predicted).axes[0].texts[1:]}
    assert {"G12", "G17"} <= named
    assert len(named) == 4


def test_a_fourth_arm_gets_a_second_row() -> None:
    figure = draw(a=MEASURED, b=MEASURED, c=MEASURED, d=MEASURED)
    visible = [axes for axes in figure.axes if axes.get_visible()]
    assert len(visible) == 4


def test_names_do_not_hide_each_other() -> None:
    measured = np.array([1.0, 1.01, 2.0])
    predicted = {"a": np.array([1.5, 1.5, 2.1])}
    figure = scatter_figure(["FIRST", "HIDDEN", "APART"], measured, predicted, {"a": "#0072B2"})
    assert [text.get_text() for text in figure.axes[0].texts[1:]] == ["FIRST", "APART"]


def test_a_prediction_below_zero_is_in_view() -> None:
    axes = draw(ridge=MEASURED - 0.5).axes[0]  # a regression may say less than no expression
    assert axes.get_ylim()[0] < -0.4
    assert axes.get_xlim() == axes.get_ylim()
    line = axes.lines[0]
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (axes.get_xlim()[0], axes.get_ylim()[0])


def test_without_one_the_axes_begin_at_zero() -> None:
    assert draw(a=MEASURED).axes[0].get_xlim()[0] == 0


def test_every_panel_has_the_scale_of_the_widest() -> None:
    figure = draw(narrow=MEASURED, wide=2 * MEASURED)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert figure.axes[0].get_xlim()[1] == 4.2  # 1.05 times the largest value of any arm


def test_each_arm_has_its_colour() -> None:
    figure = scatter_figure(GENES, MEASURED, {"a": MEASURED, "b": MEASURED}, {"a": "#ff0000", "b": "#0000ff"})
    shown = [axes.collections[0].get_facecolor()[0][:3].tolist() for axes in figure.axes]
    assert shown == [[1, 0, 0], [0, 0, 1]]


def test_names_stand_on_the_outer_side_of_their_dot() -> None:
    predicted = MEASURED.copy()
    predicted[[12, 17]] += [0.5, -0.5]
    texts = {text.get_text(): text for text in draw(a=predicted).axes[0].texts[1:]}
    assert (texts["G12"].get_ha(), texts["G12"].get_va()) == ("right", "bottom")
    assert (texts["G17"].get_ha(), texts["G17"].get_va()) == ("left", "top")


def test_genes_in_the_crowd_near_the_origin_are_not_named() -> None:
    predicted = MEASURED.copy()
    predicted[0] = 1.9  # far off, but hardly expressed
    assert "G0" not in {text.get_text() for text in draw(a=predicted).axes[0].texts[1:]}


def test_axes_say_what_they_are_also_where_the_last_row_is_not_full() -> None:
    figure = draw(a=MEASURED, b=MEASURED, c=MEASURED, d=MEASURED)
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_visible()]
    assert labels == ["", *["measured mean, log(1 + x)"] * 3]  # under the last panel of each column
    assert figure.axes[0].get_ylabel() == figure.axes[3].get_ylabel() == "predicted mean, log(1 + x)"
