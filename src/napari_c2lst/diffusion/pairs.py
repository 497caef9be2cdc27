"""PAIRS: synthetic patches with the expression they were drawn for, as one AnnData zarr (see docs/pairs.md)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec

PAIRS_FILE = "pairs.zarr"
PAIRS_VERSION = 1
KEY = "c2lst"
_PARTIAL = ".partial"


class PairsFacts(BaseModel):
    """Where pairs come from; kept in `uns["c2lst"]` as JSON.

    Attributes
    ----------
    slide
        Name of the slide, for messages.
    spots_hash
        Content hash of all spots of the slide, names and places: by it `train` knows the slide again, whatever it is
        called. None in pairs that were written without it: then the name decides.
    training_ids
        Every training spot of the local model: `train` refuses pairs if one of them is held out.
    panel, spec
        Genes with their scale; size, pixels and stain of the patches.
    central_hash, local_hash
        Content hashes of the models.
    sampling
        Sampler, steps, guidance, seed and the like.
    """

    model_config = ConfigDict(frozen=True)

    slide: str
    spots_hash: str | None = None
    training_ids: tuple[str, ...]
    panel: GenePanel
    spec: PatchSpec
    central_hash: str
    local_hash: str
    sampling: dict[str, Any] = {}


@dataclass(frozen=True)
class Pairs:
    """Synthetic pairs in memory.

    Attributes
    ----------
    patches
        uint8 (M, px, px, 3).
    targets
        float32 (M, d) on the scale of targets (not z-scored).
    source_a, source_b, weight
        The training spots whose expression it is, and the share of `source_b`; (M,) each.
    facts
        Where they come from.
    """

    patches: NDArray[np.uint8]
    targets: NDArray[np.float32]
    source_a: NDArray[np.str_]
    source_b: NDArray[np.str_]
    weight: NDArray[np.float32]
    facts: PairsFacts

    def __len__(self) -> int:
        return len(self.patches)

    @property
    def genes(self) -> tuple[str, ...]:
        """Names of the d genes, in order."""
        return self.facts.panel.genes

    def first(self, ratio: int) -> "Pairs":
        """The pairs of a smaller ratio: the first `ratio` of each training spot.

        Raises
        ------
        InputError
            If fewer were sampled.
        """
        rows = ratio * len(self.facts.training_ids)
        if rows > len(self):
            there = len(self) // len(self.facts.training_ids)
            raise InputError(
                f"the pairs hold {there} for each spot, not {ratio}", f"sample more: c2lst sample --ratio {ratio}"
            )
        return Pairs(
            patches=self.patches[:rows],
            targets=self.targets[:rows],
            source_a=self.source_a[:rows],
            source_b=self.source_b[:rows],
            weight=self.weight[:rows],
            facts=self.facts,
        )

    def refuse_held_out(self, slide: str, spots: str, training_ids: Iterable[str]) -> None:
        """Refuse pairs of another slide, or that know spots outside a training set.

        The local model has seen the patches of all its training spots, so each of them counts, not only those whose
        expression was sampled.

        Parameters
        ----------
        slide, spots
            Name of the slide to train on, and the content hash of its spots.
        training_ids
            Its training spots.

        Raises
        ------
        MismatchError
            Naming slides, or the spots that are held out.
        """
        made = self.facts
        if (made.slide != slide) if made.spots_hash is None else (made.spots_hash != spots):
            other = f"'{slide}'" if made.slide != slide else "this one of the same name: its spots are others"
            raise MismatchError(
                f"the pairs were made from slide '{made.slide}', not from {other}", "sample pairs from this slide"
            )
        known = (set(self.facts.training_ids) | set(self.source_a) | set(self.source_b)) - set(training_ids)
        if known:
            shown = ", ".join(sorted(known)[:5]) + (", ..." if len(known) > 5 else "")
            raise MismatchError(
                f"the pairs were made from {len(known)} spots that are held out here ({shown})",
                "a score would be wrong: adapt and sample with the same --spots as train",
            )


def partial_store(path: Path) -> Path:
    """What a store of pairs is called until it is complete."""
    return path.parent / (path.name + _PARTIAL)


def load_pairs(path: Path) -> Pairs:
    """Read pairs.

    Parameters
    ----------
    path
        The store, or the run folder of `c2lst sample` that holds it.

    Raises
    ------
    InputError
        If there are none, they are not complete, damaged, or of a newer version.
    """
    import anndata
    import zarr

    store = find_pairs(Path(path))
    with damaged_pairs_told(store):
        refuse_missing(store, zarr.open_group(store, mode="r"))
        table = anndata.read_zarr(store)
        return Pairs(
            patches=np.asarray(table.obsm["patches"]),
            targets=np.asarray(table.X, dtype=np.float32),
            source_a=table.obs["source_a"].to_numpy(dtype=np.str_),
            source_b=table.obs["source_b"].to_numpy(dtype=np.str_),
            weight=table.obs["weight"].to_numpy(dtype=np.float32),
            facts=stored_facts(store, table.uns[KEY]),
        )


def stored_facts(store: Path, body: Mapping[str, Any]) -> PairsFacts:
    """What `uns["c2lst"]` of a store says.

    Raises
    ------
    InputError
        If it is of a newer version.
    """
    version = int(body["version"])
    if version > PAIRS_VERSION:
        raise InputError(f"pairs '{store}' have version {version}", "update napari-c2lst")
    return PairsFacts.model_validate_json(str(body["facts"]))


def refuse_missing(store: Path, group: Any) -> None:
    """Refuse a store that was copied in part: zarr takes a chunk that is not there for black patches.

    Raises
    ------
    InputError
        If there are fewer chunks of patches than there must be.
    """
    patches = group["obsm/patches"]
    if patches.nchunks_initialized < patches.nchunks:
        raise InputError(f"pairs '{store}' lack some of their patches", "copy them again, or sample again")


@contextmanager
def damaged_pairs_told(store: Path) -> Iterator[None]:
    """While a store of pairs is read: whatever a damaged file makes libraries raise becomes an InputError."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, ValidationError) as error:
        raise InputError(
            f"'{store}' is not a store of synthetic pairs: {first_line(error)}", "give the --out of 'c2lst sample'"
        ) from error
    except Exception as error:
        raise InputError(
            f"pairs '{store}' cannot be read: {first_line(error)}", "copy them again, or sample again"
        ) from error


def find_pairs(path: Path) -> Path:
    """The store of pairs at a path or in a run folder.

    Raises
    ------
    InputError
        If there is none, or it is not complete.
    """
    store = path / PAIRS_FILE if (path / PAIRS_FILE).exists() else path
    if partial_store(path).exists() or partial_store(path / PAIRS_FILE).exists():
        raise InputError(f"the pairs of '{path}' are not complete", "go on with 'c2lst sample' and --resume auto")
    if not store.is_dir():
        raise InputError(f"there are no pairs '{path}'", "give the --out of 'c2lst sample'")
    return store
