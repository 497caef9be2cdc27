"""The score table on paper: CSV files, lines for a screen, and a page of text with the figures.

Two rules hold everywhere: the mean absolute error never stands without the median predictor and r beside it, and an
undefined r reads "none".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_c2lst.common.files import atomic_file

from .arms import arm_named
from .metrics import Interval
from .records import Difference, GeneScore, Score
from .scoring import summary

__all__ = [
    "NONE",
    "aligned",
    "as_cells",
    "table_lines",
    "write_differences",
    "write_genes",
    "write_page",
    "write_rows",
    "write_scores",
]

NONE = "none"  # an undefined r
_ABSENT = "-"  # what a baseline does not have
_WHY_BOTH = (
    "MAE: mean error on the log(1 + x) scale, smaller is better; against median: the same as a share of what the median"
    " of each gene gives. r: how well the pattern over the tissue is followed"
    " (Pearson, mean over genes), larger is better; 'none' where a predictor says the same everywhere."
)


def write_scores(path: Path, scores: Sequence[Score]) -> Path:
    """One line for each arm of each trial."""
    return write_rows(path, [_score_row(score) for score in scores])


def write_genes(path: Path, rows: Sequence[GeneScore]) -> Path:
    """One line for each gene of each arm of each trial."""
    return write_rows(
        path, [{**as_cells(_settings_second(vars(row))), "r": NONE if row.r is None else _cell(row.r)} for row in rows]
    )


def write_differences(path: Path, rows: Sequence[Difference]) -> Path:
    """One line for each comparison: first minus second."""
    return write_rows(path, [_difference_row(row) for row in rows])


def table_lines(scores: Sequence[Score], differences: Sequence[Difference] = ()) -> list[str]:
    """The table as lines of text, one block a split, and what the differences say in words."""
    lines = []
    for block in dict.fromkeys(score.block for score in scores):
        own = [score for score in scores if score.block == block]
        trials = list(dict.fromkeys((s.seed, s.n_train, s.n_test, s.genes) for s in own))
        lines += ["", _heading(own[0], trials)]
        lines += _one_trial(own) if len(trials) == 1 else _many_trials(own)
        said = [_difference_line(row) for row in differences if row.block == block]
        lines += ["  On the same spots:", *said] if said else []
    return [*lines[1:], "", _WHY_BOTH] if lines else ["no run to score"]


def write_page(path: Path, title: str, lines: Sequence[str], figures: Mapping[str, Path], notes: Sequence[str]) -> Path:
    """A Markdown page with the table and the figures, which lie beside it."""
    parts = [f"# {title}", "", "```", *lines, "```", ""]
    parts += [f"- {note}" for note in notes] + [""] if notes else []
    for caption, figure in figures.items():
        parts += [f"![{caption}]({figure.relative_to(path.parent).as_posix()})", "", f"*{caption}*", ""]
    with atomic_file(path) as file:
        file.write_text("\n".join(parts), encoding="utf-8")
    return path


def _heading(score: Score, trials: Sequence[tuple[int | None, int, int, int]]) -> str:
    seed, n_train, n_test, genes = trials[0]
    label = f" ({score.label})" if score.label else ""
    if len(trials) == 1:
        seeded = f", seed {seed}" if seed is not None else ""
        spots = f"{n_train} training spots, scored on {n_test} spots it has not seen, {genes} genes"
        return f"{score.split.capitalize()} split{seeded}{label}: {spots}"
    seeds = _seeds(trials)
    chosen = f"mean over {len(trials)} choices of training spots" + (f" (seeds {seeds})" if seeds else "")
    return f"{score.split.capitalize()} split{label}, {chosen}"


def _seeds(trials: Sequence[tuple[int | None, int, int, int]]) -> str:
    return ", ".join(dict.fromkeys(str(trial[0]) for trial in trials if trial[0] is not None))


def _one_trial(scores: Sequence[Score]) -> list[str]:
    repeated = {s.arm for s in scores if sum(t.arm == s.arm for t in scores) > 1}
    rows = []
    for s in scores:
        name = arm_named(s.arm).label + (f" [{s.run}]" if s.arm in repeated and s.run else "")
        counted = f"{s.genes_with_r} of {s.genes}"
        steps = _ABSENT if s.steps is None else str(s.steps)
        rows.append((name, f"{s.mae.value:.4f}", _share(s.against_median), _r(s.r), counted, steps))
    return aligned(("", "MAE", "against median", "r", "genes with r", "steps"), rows)


def _many_trials(scores: Sequence[Score]) -> list[str]:
    rows = []
    for row in summary(scores):
        steps = ", ".join(dict.fromkeys(str(s.steps) for s in scores if s.arm == row.arm and s.steps is not None))
        against = _ABSENT if row.against_median is None else _spread(row.against_median, percent=True)
        r = NONE if row.r is None else _spread(row.r)
        name = arm_named(row.arm).label
        rows.append((name, f"{row.mae.value:.4f}", against, r, str(row.runs), steps or _ABSENT))
    return aligned(("", "MAE", "against median", "r", "runs", "steps"), rows)


def _share(value: float | None) -> str:
    return _ABSENT if value is None else f"{100 * value:+.1f} %"


def _spread(interval: Interval, *, percent: bool = False) -> str:
    if percent:
        value, ends = _share(interval.value), [_share(end) for end in (interval.low, interval.high)]
    else:
        value, ends = (
            f"{interval.value:.4f}",
            [f"{end:.4f}" for end in (interval.low, interval.high) if end is not None],
        )
    return value if interval.low is None else f"{value} ({ends[0]} to {ends[1]})"


def _r(interval: Interval | None) -> str:
    return NONE if interval is None else f"{interval.value:.4f}"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table of text: the first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    lines = []
    for line in [header, *rows]:
        first = line[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        lines.append("  " + "   ".join([first, *rest]).rstrip())
    return lines


def _difference_line(row: Difference) -> str:
    first, second = arm_named(row.first).label, arm_named(row.second).label
    told = row.first_run.rsplit("/")[-1] != row.first  # the run of an arm is often named after it
    first += f" [{row.first_run}]" if row.first_run and told else ""
    error = f"MAE {row.mae.text()}"
    pattern = f", r {row.r.text()}" if row.r is not None else ""
    return f"    {first} against {second}: {error}{pattern}: {row.verdict}"


def _score_row(score: Score) -> dict[str, str]:
    row = {
        "split": score.split,
        "settings": score.label,
        "seed": score.seed,
        "arm": score.arm,
        "run": score.run,
        "n_train": score.n_train,
        "n_test": score.n_test,
        **_interval_cells("mae", score.mae),
        "mae_against_median": score.against_median,
        **_interval_cells("r", score.r),
        "genes_with_r": score.genes_with_r,
        "genes": score.genes,
        "steps": score.steps,
        "counts_scaled_to": score.scale,
    }
    return as_cells(row)


def _difference_row(row: Difference) -> dict[str, str]:
    cells = {
        "split": row.split,
        "settings": row.label,
        "first": row.first,
        "second": row.second,
        "first_run": row.first_run,
        "second_run": row.second_run,
        **_interval_cells("mae", row.mae),
        **_interval_cells("r", row.r),
        "interval_over": row.mae.over,
        "n": row.mae.n,
        "verdict": row.verdict,
    }
    return as_cells(cells)


def _interval_cells(name: str, interval: Interval | None) -> dict[str, float | str | None]:
    if interval is None:
        return {name: NONE, f"{name}_low": None, f"{name}_high": None}
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _settings_second(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a gene score with the label where the other tables have it."""
    return {"split": row["split"], "settings": row["label"], **{k: v for k, v in row.items() if k != "label"}}


def as_cells(row: Mapping[str, Any]) -> dict[str, str]:
    """Values as a CSV has them: six digits, nothing for None."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def write_rows(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write a CSV, whole or not at all."""
    rows = list(rows)
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path
