from __future__ import annotations

import numpy as np

from napari_c2lst.evaluation.figures.spots import HELD_OUT, TRAINING, spots_figure


def test_every_spot_is_shown_once_in_its_role(scene) -> None:
    buffer = np.zeros(48, bool)
    buffer[[1, 2, 3]] = True
    figure = spots_figure(scene.tissue, scene.yx_um, scene.training, buffer=buffer)
    held, training = figure.axes[0].collections
    assert (len(held.get_paths()), len(training.get_paths())) == (33, 12)
    assert len(figure.axes[0].lines[0].get_xdata()) == 3
    assert TRAINING != HELD_OUT
    assert held.get_facecolor().size == 0  # rings: the shape tells too, not the colour alone
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["training (12 spots)", "held out, scored (33)", "left out of both (3)"]


def test_a_random_split_has_no_third_kind(scene) -> None:
    figure = spots_figure(None, scene.yx_um, scene.training, title="Mine")
    assert len(figure.legends[0].get_texts()) == 2
    assert figure.axes[0].get_title(loc="left") == "Mine"
    assert len(figure.axes[0].images) == 0


def test_the_figure_has_the_shape_of_the_tissue(scene) -> None:
    wide = scene.yx_um * [1, 3]
    assert (
        spots_figure(None, scene.yx_um, scene.training).get_figheight()
        > spots_figure(None, wide, scene.training).get_figheight()
    )


def test_spots_have_their_true_size_and_place(scene) -> None:
    figure = spots_figure(None, scene.yx_um, scene.training, diameter_um=55.0)
    _, training = figure.axes[0].collections
    box = training.get_paths()[0].get_extents()
    y, x = scene.yx_um[scene.training][0]
    np.testing.assert_allclose([box.x0, box.x1, box.y0, box.y1], [x - 27.5, x + 27.5, y - 27.5, y + 27.5])


def test_every_spot_is_within_the_picture_with_a_margin(scene) -> None:
    axes = spots_figure(scene.tissue, scene.yx_um, scene.training, diameter_um=100.0).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    y, x = scene.yx_um.T
    assert left <= x.min() - 200
    assert right >= x.max() + 200
    assert top <= y.min() - 200
    assert bottom >= y.max() + 200  # rows run downwards


def test_a_split_without_training_spots_is_drawn(scene) -> None:
    figure = spots_figure(None, scene.yx_um, np.zeros(48, bool))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["training (0 spots)", "held out, scored (48)"]


def test_the_scale_bar_is_there(scene) -> None:
    texts = [text.get_text() for text in spots_figure(None, scene.yx_um, scene.training).axes[0].texts]
    assert texts == ["200 µm"]  # a quarter of 1100 um, rounded down
