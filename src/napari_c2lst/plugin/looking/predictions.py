"""Which predictions a slide holds, and what each of them is, in words. Knows neither Qt nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.expression.tables import Written, read_written

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

Where = Literal["spots", "grid"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """One table of predictions in a slide.

    Attributes
    ----------
    key
        Name of the table.
    where
        At the slide's spots, or on a grid over the tissue.
    written
        What the table says about itself: the predictor's arm, genes and training spots.
    n
        Spots or grid positions.
    n_held_out
        How many of the spots the predictor may be judged on; 0 on a grid.
    has_spread
        Whether flips and turns were averaged, so that their spread is known.
    made
        When it was written, in nanoseconds; 0 where that cannot be told.
    """

    key: str
    where: Where
    written: Written
    n: int
    n_held_out: int
    has_spread: bool
    made: int = 0

    @property
    def genes(self) -> tuple[str, ...]:
        """The genes that were predicted, the most highly expressed first."""
        return self.written.predictor.panel.genes

    @property
    def label(self) -> str:
        """One line for a menu: run, where, and which spots."""
        return f"{self.written.name} – {self.place}"

    @property
    def place(self) -> str:
        """Where was predicted: ``212 held-out spots``, ``all 283 spots``, ``grid of 949 positions``."""
        if self.where == "grid":
            return f"grid of {self.n} positions"
        return f"{self.n} held-out spots" if self.n_held_out == self.n else f"all {self.n} spots"

    def sentences(self) -> list[str]:
        """What it is, for someone who has not made it."""
        facts = self.written.predictor
        arm = arm_named(facts.arm)
        said = [f"Run “{self.written.name}”: {arm.meaning} ({len(facts.training_ids)} spots)."]
        seen = self.n - self.n_held_out
        if self.where == "spots" and seen and self.n_held_out:
            said.append(
                f"{self.n_held_out} of the {self.n} spots are held out; on the other {seen}, which it was trained on"
                " or which are too near to them, agreement proves nothing."
            )
        return said


def list_predictions(slide: Slide | None) -> tuple[list[Prediction], list[str]]:
    """The predictions a slide holds, and what is wrong with those that cannot be shown.

    Returns
    -------
    predictions
        On spots first, then on grids, of each the newest first.
    problems
        One sentence for each table of ours that cannot be used.
    """
    found: list[Prediction] = []
    problems: list[str] = []
    for key, table in getattr(getattr(slide, "sdata", None), "tables", {}).items():
        about = table.uns.get("c2lst")
        if not isinstance(about, Mapping) or about.get("kind") != "predictions":
            continue
        try:
            found.append(replace(_read(key, table), made=_made(slide, key)))
        except InputError as error:
            problems.append(f"'{key}': {error.message}; {error.hint}")
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"'{key}': the predictions are damaged: {error}; predict again")
    return sorted(found, key=lambda each: (each.where != "spots", -each.made, each.written.name)), problems


def _made(slide: Slide | None, key: str) -> int:
    """When a table was written into the slide's store; 0 where the slide is none."""
    if slide is None or not slide.is_zarr:
        return 0
    try:
        return (slide.path / "tables" / key).stat().st_mtime_ns
    except OSError:
        return 0


def _read(key: str, table: Any) -> Prediction:
    written = read_written(table)
    if [str(gene) for gene in table.var_names] != list(written.predictor.panel.genes):
        raise InputError("it has other genes than its predictor", "predict again")
    if table.n_obs == 0:
        raise InputError("it holds no place that was predicted", "predict again")
    where: Where = "grid" if table.uns["c2lst"].get("where") == "grid" else "spots"
    return Prediction(
        key=key,
        where=where,
        written=written,
        n=table.n_obs,
        n_held_out=int(held_out_column(table).sum()) if where == "spots" else 0,
        has_spread="spread" in table.layers,
    )


def held_out_column(table: Any) -> np.ndarray:
    """(n,) the spots of a table of predictions that its predictor may be judged on."""
    for name in ("held_out", "unseen"):
        if name in table.obs:
            return np.asarray(table.obs[name], dtype=bool)
    return np.zeros(table.n_obs, dtype=bool)
