from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.figures.patches import patches_figure


def arrays(rows: int = 4, many: int = 3) -> tuple[np.ndarray, np.ndarray, list[str]]:
    real = np.stack([np.full((8, 8, 3), 10 * i, np.uint8) for i in range(rows)])
    synthetic = np.stack([[np.full((8, 8, 3), 10 * i + k + 1, np.uint8) for k in range(many)] for i in range(rows)])
    return real, synthetic, [f"spot {i}" for i in range(rows)]


def test_each_row_shows_its_real_patch_then_its_synthetic_ones() -> None:
    figure = patches_figure(*arrays())
    shown = [int(np.asarray(axes.images[0].get_array())[0, 0, 0]) for axes in figure.axes if axes.images]
    assert shown == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]


def test_rows_in_two_blocks_side_by_side() -> None:
    figure = patches_figure(*arrays(4), blocks=2)
    tall = patches_figure(*arrays(4), blocks=1)
    assert figure.get_figheight() < tall.get_figheight()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["real", "synthetic", "real", "synthetic"]


def test_labels_and_one_scale_bar_a_block() -> None:
    figure = patches_figure(*arrays(5), patch_um=112.0)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text for text in texts if text.startswith("spot")] == [f"spot {i}" for i in range(5)]
    assert texts.count("50 µm") == 2


def test_one_row_makes_one_block() -> None:
    figure = patches_figure(*arrays(1, 2))
    assert sum(bool(axes.images) for axes in figure.axes) == 3


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_arrays_that_do_not_fit_are_refused(wrong: int) -> None:
    given = list(arrays())
    given[wrong] = given[wrong][:2]
    with pytest.raises(InputError, match="do not make rows"):
        patches_figure(*given)


def test_patches_of_different_kinds_have_frames_of_different_colours() -> None:
    figure = patches_figure(*arrays(1, 2))
    shown = [axes for axes in figure.axes if axes.images]
    colours = [axes.spines["left"].get_edgecolor() for axes in shown]
    assert colours[0] != colours[1]
    assert colours[1] == colours[2]


def test_more_blocks_than_rows_make_one_a_row() -> None:
    figure = patches_figure(*arrays(2), blocks=9)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["real", "synthetic"] * 2


def test_an_odd_number_of_rows_leaves_a_place_empty() -> None:
    figure = patches_figure(*arrays(5, 1))
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 10
    assert figure.get_figheight() == patches_figure(*arrays(6, 1)).get_figheight()


@pytest.mark.parametrize(("patch_um", "text"), [(56.0, "20 µm"), (224.0, "100 µm"), (8.0, "10 µm")])
def test_the_scale_bar_is_at_most_half_a_patch_where_it_can(patch_um: float, text: str) -> None:
    figure = patches_figure(*arrays(1, 1), patch_um=patch_um)
    assert text in [t.get_text() for axes in figure.axes for t in axes.texts]


def test_nothing_to_show_is_refused() -> None:
    real, synthetic, _ = arrays()
    with pytest.raises(InputError, match="0 real patches"):
        patches_figure(real[:0], synthetic[:0], [])


def test_without_synthetic_patches_only_real_ones_are_shown() -> None:
    real, _, labels = arrays(3)
    figure = patches_figure(real, np.empty((3, 0, 8, 8, 3), np.uint8), labels)
    assert sum(bool(axes.images) for axes in figure.axes) == 3
    assert {axes.get_title() for axes in figure.axes} == {"", "real"}
