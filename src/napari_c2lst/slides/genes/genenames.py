"""Matching gene names: by name, never by position, and refused by name."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import MismatchError

_ENSEMBL = re.compile(r"^(ENS[A-Z]*G\d{6,})(?:\.\d+)?$")


def naming(genes: Iterable[str]) -> Literal["Ensembl ids", "gene symbols"]:
    """How most of these genes are named."""
    names = list(genes)
    ids = sum(bool(_ENSEMBL.match(name)) for name in names)
    return "Ensembl ids" if 2 * ids > len(names) else "gene symbols"


def match_genes(wanted: Sequence[str], genes: Sequence[str], *, where: str = "slide") -> NDArray[np.int64]:
    """The position of each wanted gene among the slide's genes.

    An exact name wins. An Ensembl id also matches without its version (`ENSG00000139618.15` and `ENSG00000139618`)
    when only one gene of the slide is meant.

    Parameters
    ----------
    wanted
        Names to find.
    genes
        Distinct names of the slide.
    where
        How messages call the slide.

    Raises
    ------
    MismatchError
        If no gene, or not every gene, is there: the missing ones by name (five, and how many).
    """
    exact = {name: i for i, name in enumerate(genes)}
    versions = _by_bare_id(genes)
    found: list[int] = []
    missing: list[str] = []
    ambiguous: list[str] = []
    taken: set[int] = set()
    for name in wanted:
        candidates = [exact[name]] if name in exact else versions.get(_bare(name), [])
        if len(candidates) == 1 and candidates[0] not in taken:
            found.append(candidates[0])
            taken.add(candidates[0])
        else:
            (ambiguous if candidates else missing).append(name)
    if missing or ambiguous:
        raise _refusal(wanted, genes, missing, ambiguous, where)
    return np.asarray(found, dtype=np.int64)


def _bare(name: str) -> str:
    match = _ENSEMBL.match(name)
    return match.group(1) if match else ""


def _by_bare_id(genes: Sequence[str]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(genes):
        if bare := _bare(name):
            table[bare].append(i)
    return dict(table)


def _refusal(
    wanted: Sequence[str], genes: Sequence[str], missing: list[str], ambiguous: list[str], where: str
) -> MismatchError:
    if len(missing) == len(wanted):
        return _nothing_in_common(wanted, genes, where)
    parts = []
    if missing:
        parts.append(f"{len(missing)} of {len(wanted)} genes of the panel are not in {where}: {_some(missing)}")
    if ambiguous:
        parts.append(f"{len(ambiguous)} genes of the panel match no single gene of {where}: {_some(ambiguous)}")
    return MismatchError("; ".join(parts), "use a slide with these genes, or a model trained on the genes both have")


def _nothing_in_common(wanted: Sequence[str], genes: Sequence[str], where: str) -> MismatchError:
    message = f"no gene in common: the panel has {_some(wanted, 3)}, {where} has {_some(genes, 3) or 'none'}"
    if genes and naming(wanted) != naming(genes):
        return MismatchError(message, f"the panel has {naming(wanted)}, {where} {naming(genes)}: rename one of them")
    return MismatchError(message, "check the species, and which table of the slide is used (--table)")


def _some(names: Sequence[str], limit: int = 5) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown}, ..." if len(names) > limit else shown
