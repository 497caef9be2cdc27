from __future__ import annotations

import numpy as np

from napari_c2lst.evaluation.figures.composition import composition_figure
from napari_c2lst.evaluation.figures.patches import REAL, SYNTHETIC

TYPES = ("epithelial", "a type with a long name")


def counts(seed: int, n: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(12, [0.4, 0.6], size=n)


def draw(real: np.ndarray, synthetic: np.ndarray, said: str = ""):
    return composition_figure(TYPES, {"real": real, "synthetic": synthetic}, said)


def test_two_violins_a_type_side_by_side() -> None:
    axes = draw(counts(0), counts(1)).axes[0]
    bodies = [c for c in axes.collections if c.get_paths() and len(c.get_paths()[0].vertices) > 20]
    assert len(bodies) == 4
    centres = [body.get_paths()[0].vertices[:, 0].mean() for body in bodies]
    assert centres[0] < 0 < centres[2] < 0.5 < centres[1] < 1 < centres[3]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["epithelial", "a type with a\nlong name"]


def test_dots_are_the_means_and_bars_stay_between_0_and_1() -> None:
    real = np.array([[0, 4], [0, 4], [4, 0]])  # first type: mean 1/3, SD 0.577
    axes = draw(real, counts(1)).axes[0]
    dots = axes.lines[0]
    np.testing.assert_allclose(dots.get_ydata(), [1 / 3, 2 / 3])
    bars = next(c for c in axes.collections if len(c.get_segments() if hasattr(c, "get_segments") else []) == 2)
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[0, 1 / 3 + 0.5773503], [2 / 3 - 0.5773503, 1]], atol=1e-6)


def test_real_and_synthetic_have_the_colours_of_the_patches_and_their_numbers() -> None:
    figure = draw(np.concatenate([counts(0), np.zeros((3, 2), int)]), counts(1, 7))
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "real: 30 patches with nuclei, 3 without",
        "synthetic: 7 patches with nuclei, 0 without",
    ]
    assert [line.get_color() for line in legend.get_lines()] == [REAL, SYNTHETIC]


def test_patches_that_are_all_the_same_or_a_single_one() -> None:
    axes = draw(np.tile([3, 1], (5, 1)), np.array([[1, 3]])).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.75, 0.25])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0.25, 0.75])


def test_a_group_without_nuclei_is_written_not_drawn() -> None:
    axes = draw(counts(0), np.zeros((4, 2), int)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["no nuclei", "no nuclei"]
    assert len(axes.lines) == 1


def test_what_the_distance_says_stands_below() -> None:
    assert "0.0123 bits" in draw(counts(0), counts(1), "divergence 0.0123 bits: near").axes[0].get_xlabel()
