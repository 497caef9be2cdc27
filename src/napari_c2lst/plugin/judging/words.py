"""Scores in the words of someone who has a tissue, not a method, in mind.

One rule holds in every sentence: a mean absolute error never stands without the median predictor's and without r,
because a predictor that says the same everywhere has a good error and shows no pattern at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.metrics import Interval, over_runs
from napari_c2lst.evaluation.records import Difference, Score, Summary
from napari_c2lst.evaluation.scoring import summary

from .reading import Scores

HOW_SPLIT = {
    "blocked": "whole regions of the tissue were kept from training",
    "random": "scattered spots were kept from training",
    "chosen": "the training spots are those of your set",
}
# mean r over genes of single spots: even good predictors of the field stay below 0.5
_STRENGTH = ((0.5, "closely follows"), (0.3, "follows"), (0.1, "weakly follows"), (0.0, "hardly follows"))
_AGAINST = "runs against"


def paragraphs(scores: Scores, block: str) -> list[str]:
    """What the scores of one block say: what was asked, how the best network did, and what the rest did."""
    own = scores.of_block(block)
    if not own:
        return ["Nothing was scored here."]
    rows = summary(own)
    trained = [row for row in rows if arm_named(row.arm).kind == "trained"]
    said = [_question(own)]
    if trained:
        said.append(_best(own, rows, _leader(trained)))
    else:
        said.append("No network was scored, only simple baselines: predict first, then evaluate. " + _yardstick(rows))
    asked = [row for row in scores.differences if row.block == block and _asked(row)]
    return [*said, *(_comparison(row, _several(row, asked)) for row in asked)]


def _question(own: Sequence[Score]) -> str:
    trials = trials_of(own)
    how = HOW_SPLIT.get(own[0].split, f"training spots were chosen by {own[0].split}")
    tests = [n_test for _, _, n_test in trials]
    scored = f"{tests[0]}" if len(set(tests)) == 1 else f"{min(tests)} to {max(tests)}"
    if len(trials) == 1:
        return f"Trained on {trials[0][1]} spots, judged on {scored} spots never seen in training: {how}."
    return f"Mean over {len(trials)} choices of training spots, each judged on {scored} spots never seen: {how}."


def trials_of(own: Sequence[Score]) -> list[tuple[int | None, int, int]]:
    """Seed, training spots and held-out spots of each trial."""
    return list(dict.fromkeys((score.seed, score.n_train, score.n_test) for score in own))


def _leader(rows: Sequence[Summary]) -> Summary:
    """The network that follows the pattern best."""
    return max(rows, key=lambda row: (row.r.value if row.r is not None else -2.0, -row.mae.value))


def _best(own: Sequence[Score], rows: Sequence[Summary], best: Summary) -> str:
    arm, r = arm_named(best.arm), interval_of(own, best.arm, "r")
    if r is None:
        start = f"The {arm.meaning} says the same everywhere: it follows no pattern (r: none)"
    else:
        start = (
            f"On spots it has not seen, the {arm.meaning} {strength(r)} the measured pattern:"
            f" r = {number(r)} (mean over {_genes_with_r(own, best.arm)})"
        )
    return f"{start}. Its mean error is {best.mae.value:.3f}. {_yardstick(rows)}"


def _genes_with_r(own: Sequence[Score], arm: str) -> str:
    """What a mean r rests on: genes that do not vary have none."""
    scores = [score for score in own if score.arm == arm and score.r is not None]
    least, genes = min(score.genes_with_r for score in scores), max(score.genes for score in scores)
    if least == genes:
        return f"{genes} genes"
    return f"the {least} of {genes} genes that vary"


def _yardstick(rows: Sequence[Summary]) -> str:
    """What the simple predictors do: error and r, always both."""
    of = {row.arm: row for row in rows}
    said = []
    if "median" in of:
        said.append(
            f"Saying the training median of each gene everywhere has a mean error of {of['median'].mae.value:.3f},"
            " and no r: it shows no pattern."
        )
    if "ridge" in of:
        r = of["ridge"].r
        said.append(
            f"The colours of the tissue alone (ridge regression) reach r = {'none' if r is None else f'{r.value:.2f}'}"
            f" with a mean error of {of['ridge'].mae.value:.3f}."
        )
    return " ".join(said)


def strength(r: Interval) -> str:
    """How closely a pattern is followed, in a word or two."""
    if r.high is not None and r.high < 0:
        return _AGAINST
    if r.low is not None and r.low <= 0:
        return "does not clearly follow"
    return next((words for least, words in _STRENGTH if r.value >= least), _AGAINST)


def interval_of(own: Sequence[Score], arm: str, what: str) -> Interval | None:
    """The value of an arm with its interval: over held-out spots where there is one run, else over the runs."""
    found = [getattr(score, what) for score in own if score.arm == arm and getattr(score, what) is not None]
    if not found:
        return None
    return found[0] if len(found) == 1 else over_runs([each.value for each in found])


def number(interval: Interval, digits: int = 2) -> str:
    """``0.16 (0.13 to 0.18)``."""
    value = f"{interval.value:.{digits}f}"
    if interval.low is None or interval.high is None:
        return value
    return f"{value} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def _asked(row: Difference) -> bool:
    """The two questions that matter most: do synthetic patches help, is the network more than colours."""
    return (row.first, row.second) in (("real+synthetic", "real"), ("real+synthetic", "ridge"), ("real", "ridge"))


def _several(row: Difference, rows: Sequence[Difference]) -> bool:
    """Whether the same two arms are compared more than once, with several runs of one of them."""
    return sum((each.first, each.second) == (row.first, row.second) for each in rows) > 1


def _comparison(row: Difference, name_runs: bool) -> str:
    first = arm_named(row.first).label + (f" [{row.first_run}]" if name_runs and row.first_run else "")
    second = arm_named(row.second).label + (f" [{row.second_run}]" if name_runs and row.second_run else "")
    error = _verdict(row.mae, lower_is_better=True)
    pattern = "no r to compare" if row.r is None else _verdict(row.r, lower_is_better=False)
    return f"“{first}” beside “{second}” on the same spots: pattern (r) {pattern}, error {error}."


def _verdict(interval: Interval, *, lower_is_better: bool) -> str:
    if not interval.clear:
        return "not clearly different"
    better = (interval.value < 0) == lower_is_better
    return f"{'better' if better else 'worse'} ({interval.value:+.3f})".replace("-", "−")
