"""Scores made up by hand: no slide, no bootstrap, every number known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Difference, GeneScore, Score
from napari_c2lst.plugin.judging.reading import Scores


def spots(value: float, half: float = 0.02) -> Interval:
    """A number with an interval over held-out spots."""
    return Interval(value, value - half, value + half, 42, "spots")


def score(arm: str, mae: float = 0.5, r: Interval | None = None, **changes: object) -> Score:
    """One line of a score table: 21 training spots, 42 held out, 12 genes."""
    run = arm if arm in ("real", "synthetic", "real+synthetic") else ""
    values: dict[str, object] = {
        "split": "blocked",
        "seed": 0,
        "arm": arm,
        "run": run,
        "n_train": 21,
        "n_test": 42,
        "mae": spots(mae),
        "r": r,
        "genes": 12,
        "genes_with_r": 0 if r is None else 12,
        "steps": 6 if run else None,
    }
    return Score(**{**values, **changes})  # type: ignore[arg-type]


def gene(arm: str, name: str, r: float | None = 0.5, mae: float = 0.4, **changes: object) -> GeneScore:
    """One gene of one arm."""
    run = arm if arm in ("real", "synthetic", "real+synthetic") else ""
    values: dict[str, object] = {
        "split": "blocked",
        "seed": 0,
        "arm": arm,
        "run": run,
        "gene": name,
        "mae": mae,
        "r": r,
        "mean_measured": 1.0,
        "mean_predicted": 1.2,
        "sd_measured": 0.1,
        "sd_predicted": 0.1,
    }
    return GeneScore(**{**values, **changes})  # type: ignore[arg-type]


def difference(first: str, second: str, mae: Interval, r: Interval | None, **changes: object) -> Difference:
    """One arm less another."""
    return Difference("blocked", first, second, mae, r, **changes)  # type: ignore[arg-type]


def scores_of(
    scores: Sequence[Score],
    genes: Sequence[GeneScore] = (),
    differences: Sequence[Difference] = (),
    notes: tuple[str, ...] = (),
) -> Scores:
    """A folder of scores that is on no disk."""
    return Scores(Path("scores"), tuple(scores), tuple(genes), tuple(differences), notes)


def usual() -> Scores:
    """The baselines and one network with four genes, one of which does not vary."""
    return scores_of(
        [score("mean", 0.52), score("median", 0.5), score("ridge", 0.48, spots(0.1)), score("real", 0.45, spots(0.4))],
        [gene("median", name, None, 0.5) for name in "ABCD"]
        + [gene("ridge", name, r) for name, r in zip("ABCD", (0.1, -0.2, 0.3, None), strict=True)]
        + [gene("real", name, r) for name, r in zip("ABCD", (0.9, 0.2, None, -0.4), strict=True)],
    )
