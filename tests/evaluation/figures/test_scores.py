from __future__ import annotations

from dataclasses import replace

import pytest
from tests.evaluation.test_scoring import make_trial

from napari_c2lst.evaluation.arms import ARMS
from napari_c2lst.evaluation.figures.scores import scores_figure
from napari_c2lst.evaluation.scoring import score_trial


def draw(*trials):
    scores = [score for trial in trials for score in score_trial(trial, draws=200)]
    return scores, scores_figure(scores)


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_error_and_correlation_stand_side_by_side() -> None:
    scores, figure = draw(make_trial())
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == [
        arm.label for arm in ARMS if arm.key in ("mean", "median", "real", "real+synthetic")
    ]
    assert words(left)[1] == f"{scores[1].mae.value:.3f}"
    assert words(left)[2] == f"{scores[2].mae.value:.3f} ({100 * scores[2].against_median:+.0f} %)"
    assert words(right)[2] == f"{scores[2].r.value:.2f}"


def test_an_undefined_r_is_written_out_not_drawn_at_zero() -> None:
    _, figure = draw(make_trial())
    right = figure.axes[1]
    assert words(right)[:2] == ["none: says the same everywhere"] * 2
    drawn_at = {float(y) for line in right.lines for y in line.get_ydata() if len(line.get_xdata()) == 1}
    assert drawn_at == {2.0, 3.0}


def test_the_median_predictor_is_the_line_to_pass() -> None:
    scores, figure = draw(make_trial())
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [pytest.approx(scores[1].mae.value)]
    assert "dashed and in %: against the median alone" in figure.axes[0].get_xlabel()


def test_one_trial_has_intervals_over_spots() -> None:
    scores, figure = draw(make_trial())
    bars = [tuple(line.get_xdata()) for line in figure.axes[0].lines if len(set(line.get_ydata())) == 1]
    assert (scores[2].mae.low, scores[2].mae.high) in bars


def test_every_trial_of_several_is_a_dot() -> None:
    scores, figure = draw(*(make_trial(split, seed) for split in ("random", "blocked") for seed in range(3)))
    assert len(figure.axes) == 4
    dots = [line for line in figure.axes[2].lines if len(line.get_xdata()) == 3]
    values = [s.mae.value for s in scores if s.split == "blocked" and s.arm == "real"]
    assert any(list(line.get_xdata()) == values for line in dots)
    assert figure.axes[1].get_xlim() == figure.axes[3].get_xlim()  # r can be compared between splits
    assert figure.axes[2].get_title(loc="left") == "blocked split: 3 choices of training spots"


def opposed():
    """A trial whose one predictor follows the pattern the wrong way round."""
    trial = make_trial()
    wrong = replace(trial.entries[3], prediction=2 * trial.truth.mean(axis=0) - trial.truth)
    return replace(trial, entries=(trial.entries[2], wrong))


def test_a_correlation_below_zero_is_drawn_left_of_the_line() -> None:
    scores, figure = draw(opposed())
    right = figure.axes[1]
    low, high = right.get_xlim()
    assert scores[1].r.value == pytest.approx(-1)
    assert low < -1
    assert high > 0  # the line at 0 is in view
    assert words(right)[1] == "-1.00"


def test_no_correlation_at_all_can_be_drawn() -> None:
    trial = make_trial()
    _, figure = draw(replace(trial, entries=trial.entries[1:3]))
    assert words(figure.axes[1]) == ["none: says the same everywhere"] * 2
    low, high = figure.axes[1].get_xlim()
    assert low < 0 < high


def test_the_heading_of_one_trial_says_how_many_spots() -> None:
    _, figure = draw(make_trial("blocked"))
    assert figure.axes[0].get_title(loc="left") == "blocked split: 25 training spots, 80 held out"
    assert "bars: 95 % interval over held-out spots" in figure.axes[1].get_xlabel()


def test_settings_have_blocks_of_their_own() -> None:
    _, figure = draw(replace(make_trial(), label="6 steps"), replace(make_trial(), label="600 steps"))
    titles = [axes.get_title(loc="left").split(":")[0] for axes in figure.axes[::2]]
    assert titles == ["random split (6 steps)", "random split (600 steps)"]
    assert "bars" in figure.axes[-1].get_xlabel()  # one trial a block: no dots


def test_baselines_are_squares_and_predictors_circles() -> None:
    _, figure = draw(make_trial())
    markers = [line.get_marker() for line in figure.axes[0].lines if line.get_marker() in ("s", "o")]
    assert markers == ["s", "s", "o", "o"]


def test_the_first_arm_is_at_the_top() -> None:
    _, figure = draw(make_trial())
    low, high = figure.axes[0].get_ylim()
    assert low > 3 > 0 > high


def test_without_a_median_predictor_there_is_no_line_and_no_percentage() -> None:
    trial = make_trial()
    scores, figure = draw(replace(trial, entries=trial.entries[3:]))
    assert words(figure.axes[0]) == [f"{scores[0].mae.value:.3f}"]
    assert [line for line in figure.axes[0].lines if line.get_linestyle() == "--"] == []


def test_the_title_can_be_chosen() -> None:
    figure = scores_figure(score_trial(make_trial(), draws=100), title="Mine")
    assert figure.get_suptitle() == "Mine"
