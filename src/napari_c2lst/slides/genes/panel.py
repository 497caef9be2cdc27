"""The gene panel: which genes a model knows, on which scale, and how a slide's genes are matched to them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.names import read_names

from .genenames import match_genes

MIN_TRAINING_SPOTS = 8
"""Fewer training spots than this give no usable mean and spread of a gene."""


class GenePanel(BaseModel):
    """The genes of a model in order, with the numbers that bring counts to its scale.

    Everything here comes from the training spots alone; it is stored with each model as JSON.

    Attributes
    ----------
    genes
        Names of the d genes, in the order of every array of the model.
    median_total
        Median of the training spots' total counts over *all* genes of the slide; every spot is scaled to it.
    mean, std
        Mean and standard deviation (population) of each gene's targets over the training spots; a gene that never
        varies has std 1.
    spots
        Number of training spots.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    genes: tuple[str, ...]
    median_total: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    spots: int

    @model_validator(mode="after")
    def _lengths_agree(self) -> Self:
        if not len(self.genes) == len(self.mean) == len(self.std):
            raise ValueError(f"{len(self.genes)} genes, {len(self.mean)} means, {len(self.std)} deviations")
        if len(set(self.genes)) != len(self.genes):
            raise ValueError("a gene is in the panel twice")
        return self

    @classmethod
    def fit(
        cls,
        counts: Any,
        genes: Sequence[str],
        *,
        training: NDArray[np.bool_],
        size: int = 250,
        names: Sequence[str] | None = None,
        where: str = "slide",
    ) -> Self:
        """Choose the genes and fit the scale, on the training spots only.

        Parameters
        ----------
        counts
            (N, G) raw counts, sparse or dense.
        genes
            Names of the G columns. Columns of one name are added up.
        training
            (N,) which spots are training spots; the others change nothing.
        size
            How many genes: those with the highest mean of the training spots' scaled counts, ties broken by name.
            Fewer when fewer are expressed at all.
        names
            The genes to take instead, in this order.
        where
            How messages call the slide.

        Raises
        ------
        InputError
            Fewer than 8 training spots, training spots without counts, names that the slide does not have.
        """
        training = _checked_mask(training, counts.shape[0], where)
        chosen = _csr(counts)[np.flatnonzero(training)]
        totals = _totals(chosen)
        median_total = float(np.median(totals))
        if median_total <= 0:
            raise InputError(
                f"half or more of the {len(totals)} training spots of {where} have no counts at all",
                "leave low spots out: c2lst select ... --min-counts 100",
            )
        unique, merged = _merge_duplicates(chosen, genes)
        if names is None:
            order = _top_expressed(_scaled(merged, totals, median_total), unique, size)
            panel = [unique[i] for i in order]
            values = merged[:, order]
        else:
            panel = _checked_names(names)
            values = merged[:, match_genes(panel, unique, where=where)]
        targets = _log_dense(_scaled(values, totals, median_total))
        std = targets.std(axis=0)
        return cls(
            genes=tuple(panel),
            median_total=median_total,
            mean=tuple(targets.mean(axis=0).tolist()),
            std=tuple(np.where(std > 1e-9, std, 1.0).tolist()),  # a constant gene's std is rounding noise, not always 0
            spots=len(totals),
        )

    def targets(self, counts: Any, genes: Sequence[str], *, where: str = "slide") -> NDArray[np.float32]:
        """Expression on the scale of targets and of every MAE: scaled to the median total, then log(1 + x).

        Parameters
        ----------
        counts
            (N, G) raw counts over all genes of the slide (the total of a spot counts them all).
        genes
            Names of the G columns, in any order.
        where
            How messages call the slide.

        Returns
        -------
        (N, d) in the order of the panel. A spot without counts is all zero.

        Raises
        ------
        MismatchError
            If the slide lacks genes of the panel, naming them.
        """
        matrix = _csr(counts)
        unique, merged = _merge_duplicates(matrix, genes)
        columns = match_genes(self.genes, unique, where=where)
        scaled = _scaled(merged[:, columns], _totals(matrix), self.median_total)
        return np.asarray(_log_dense(scaled), dtype=np.float32)

    def condition(self, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Targets z-scored by the training spots: what the diffusion model is conditioned on.

        Parameters
        ----------
        targets
            (N, d) as `targets` gives them.

        Raises
        ------
        MismatchError
            If the number of genes differs from the panel's.
        """
        if targets.shape[-1] != len(self.genes):
            raise MismatchError(
                f"expression of {targets.shape[-1]} genes for a panel of {len(self.genes)}",
                "bring it to the panel with GenePanel.targets",
            )
        return np.asarray((targets - np.asarray(self.mean)) / np.asarray(self.std), dtype=np.float32)

    def __len__(self) -> int:
        return len(self.genes)


def read_gene_list(path: Path) -> list[str]:
    """Gene names from a text file (see `read_names`).

    Raises
    ------
    InputError
        If there is no such file, it is not text, or holds no name.
    """
    return read_names(path, "gene list", "gene name")


def refuse_few_spots(count: int, where: str, note: str = "") -> None:
    """Refuse to learn from fewer than 8 spots.

    Parameters
    ----------
    where
        What has so few, for the message.
    note
        Why it has so few, where that is known.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if count < MIN_TRAINING_SPOTS:
        raise InputError(
            f"{where} has {count} training spots, at least {MIN_TRAINING_SPOTS} are needed{note}",
            "select more spots: a larger --fraction, a larger polygon, lower thresholds",
        )


def _checked_mask(training: NDArray[np.bool_], spots: int, where: str) -> NDArray[np.bool_]:
    training = np.asarray(training, dtype=bool)
    if training.shape != (spots,):
        raise InputError(f"the training mask is of shape {training.shape}, the counts have {spots} spots")
    refuse_few_spots(int(training.sum()), where)
    return training


def _checked_names(names: Sequence[str]) -> list[str]:
    if not names:
        raise InputError("the list of genes is empty", "name at least one gene")
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise InputError(f"genes named twice: {', '.join(twice[:5])}", "name each gene once")
    return list(names)


def _csr(counts: Any) -> sp.csr_matrix:
    return sp.csr_matrix(counts, dtype=np.float64)


def _totals(matrix: sp.csr_matrix) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _merge_duplicates(matrix: sp.csr_matrix, genes: Sequence[str]) -> tuple[list[str], sp.csr_matrix]:
    """Add up columns of one name: a symbol that stands for two ids is one gene to the reader."""
    if matrix.shape[1] != len(genes):
        raise InputError(f"{len(genes)} gene names for {matrix.shape[1]} columns of counts")
    unique = list(dict.fromkeys(genes))
    if len(unique) == len(genes):
        return unique, matrix
    position = {name: i for i, name in enumerate(unique)}
    columns = [position[name] for name in genes]
    add = sp.csr_matrix((np.ones(len(genes)), (np.arange(len(genes)), columns)), shape=(len(genes), len(unique)))
    return unique, matrix @ add


def _scaled(matrix: sp.csr_matrix, totals: NDArray[np.float64], median_total: float) -> sp.csr_matrix:
    factor = np.divide(median_total, totals, out=np.zeros_like(totals), where=totals > 0)
    return sp.csr_matrix(sp.diags(factor) @ matrix)


def _log_dense(scaled: sp.csr_matrix) -> NDArray[np.float64]:
    return np.asarray(np.log1p(scaled.toarray()), dtype=np.float64)


def _top_expressed(scaled: sp.csr_matrix, names: list[str], size: int) -> list[int]:
    if size < 1:
        raise InputError(f"a panel of {size} genes", "take at least one gene")
    mean = np.asarray(scaled.mean(axis=0)).ravel()
    order = sorted(np.flatnonzero(mean > 0), key=lambda i: (-mean[i], names[i]))
    return [int(i) for i in order[:size]]
