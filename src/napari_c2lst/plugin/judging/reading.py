"""The scores that `evaluate` wrote, read back as the records they were made from. Knows neither Qt nor torch."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal, TypeVar

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.runs import RESULT
from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Difference, GeneScore, Score
from napari_c2lst.evaluation.report import NONE
from napari_c2lst.plugin.runs import find_runs

Line = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Scores:
    """One folder of scores.

    Attributes
    ----------
    folder
        Where they were read.
    scores, genes, differences
        As `evaluate` computed them, to six digits.
    notes
        What a reader must know to judge them, one sentence each.
    """

    folder: Path
    scores: tuple[Score, ...]
    genes: tuple[GeneScore, ...]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def blocks(self) -> tuple[str, ...]:
        """The kinds of split (and settings) that were scored, the hardest question first."""
        found = dict.fromkeys(score.block for score in self.scores)
        return tuple(sorted(found, key=lambda block: not block.startswith("blocked")))

    def of_block(self, block: str) -> tuple[Score, ...]:
        """The scores of one block."""
        return tuple(score for score in self.scores if score.block == block)


def runs_with_scores(folder: Path | None) -> list[Path]:
    """The finished runs of `evaluate` among a slide's runs, the newest first."""
    return [run.path for run in find_runs(folder) if run.task == "evaluate" and run.state == "finished"]


def read_scores(folder: Path) -> Scores:
    """Read a folder of scores.

    Raises
    ------
    InputError
        If a file is missing or damaged; naming it.
    """
    return Scores(
        folder=folder,
        scores=_table(folder / "scores.csv", _score),
        genes=_table(folder / "genes.csv", _gene),
        differences=_table(folder / "differences.csv", _difference),
        notes=_notes(folder / RESULT),
    )


def _table(path: Path, record: Callable[[Line], T]) -> tuple[T, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(record(line) for line in csv.DictReader(file))
    except FileNotFoundError:
        raise InputError(f"the scores lack '{path}'", "evaluate again") from None
    except InputError as error:
        raise InputError(
            f"'{path}' cannot be read: {error.message}", "update napari-c2lst, or evaluate again"
        ) from error
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"'{path}' cannot be read as scores: {error}", "evaluate again into another folder") from error


def _notes(path: Path) -> tuple[str, ...]:
    try:
        return tuple(str(note) for note in json.loads(path.read_text(encoding="utf-8")).get("notes", ()))
    except (OSError, ValueError, AttributeError):
        return ()  # the scores stand without them


def _arm(line: Line, column: str = "arm") -> str:
    """An arm that can be named in words; others are refused here, not while they are drawn."""
    return arm_named(line[column]).key


def _score(line: Line) -> Score:
    n = int(line["n_test"])
    mae = _interval(line, "mae", n, "spots")
    if mae is None:
        raise ValueError("an arm without a MAE")
    return Score(
        split=line["split"],
        seed=_whole(line["seed"]),
        arm=_arm(line),
        run=line["run"],
        n_train=int(line["n_train"]),
        n_test=n,
        mae=mae,
        r=_interval(line, "r", n, "spots"),
        genes=int(line["genes"]),
        genes_with_r=int(line["genes_with_r"]),
        steps=_whole(line["steps"]),
        against_median=_number(line["mae_against_median"]),
        scale=_number(line["counts_scaled_to"]),
        label=line["settings"],
    )


def _gene(line: Line) -> GeneScore:
    return GeneScore(
        split=line["split"],
        seed=_whole(line["seed"]),
        arm=_arm(line),
        run=line["run"],
        gene=line["gene"],
        mae=float(line["mae"]),
        r=_number(line["r"]),
        mean_measured=float(line["mean_measured"]),
        mean_predicted=float(line["mean_predicted"]),
        sd_measured=float(line["sd_measured"]),
        sd_predicted=float(line["sd_predicted"]),
        label=line["settings"],
    )


def _difference(line: Line) -> Difference:
    over: Literal["spots", "runs"] = "runs" if line["interval_over"] == "runs" else "spots"
    mae = _interval(line, "mae", int(line["n"]), over)
    if mae is None:
        raise ValueError("a difference without a MAE")
    return Difference(
        split=line["split"],
        first=_arm(line, "first"),
        second=_arm(line, "second"),
        mae=mae,
        r=_interval(line, "r", int(line["n"]), over),
        first_run=line["first_run"],
        second_run=line["second_run"],
        label=line["settings"],
    )


def _interval(line: Line, name: str, n: int, over: Literal["spots", "runs"]) -> Interval | None:
    value = _number(line[name])
    if value is None:
        return None
    return Interval(value, _number(line[f"{name}_low"]), _number(line[f"{name}_high"]), n, over)


def _number(text: str) -> float | None:
    value = float("nan") if text in ("", NONE) else float(text)
    return value if isfinite(value) else None


def _whole(text: str) -> int | None:
    return None if text == "" else int(text)
