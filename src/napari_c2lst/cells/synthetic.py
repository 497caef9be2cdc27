"""Nuclei of synthetic patches (PAIRS), or of any patches in memory: what each patch is composed of."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.files import atomic_folder, content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.diffusion.pairs import PAIRS_FILE, Pairs, load_pairs

from .composition import count_types, proportions
from .density import chosen_factors, density_of, factors_for
from .elements import cells_uns
from .facts import CellFacts, Density
from .inference import NucleusNet
from .network import INPUT_PX, OUTPUT_PX, Mode
from .partial import PartialCounts
from .postprocess import Nuclei, postprocess
from .separating import FixedRange
from .settings import CellsSettings
from .tiling import padded_size
from .weights import CellModel

CELLS_OF_PAIRS = "cells_{name}.zarr"


class PairsCellsResult(TaskResult):
    """What `cells` wrote for synthetic patches."""

    out: Path
    patches: int
    nuclei: int
    types: dict[str, int]
    seconds: float

    def lines(self) -> list[str]:
        """What to tell the user at the end."""
        types = ", ".join(f"{n} {name}" for name, n in self.types.items())
        return [
            f"found {self.nuclei} nuclei in {self.patches} patches in {self.seconds:.0f} s: {types}",
            f"written: {self.out}",
        ]


def is_pairs(path: Path) -> bool:
    """Whether a path is a store of synthetic pairs, or a run folder that holds one, complete or not."""
    return path.name == PAIRS_FILE or any(path.glob(f"{PAIRS_FILE}*"))


def run_on_pairs(settings: CellsSettings, model: CellModel, name: str, reporter: Reporter) -> PairsCellsResult:
    """Count the nuclei of every synthetic patch and write the table beside the pairs.

    Raises
    ------
    InputError
        If the pairs cannot be used, or were counted under that name already.
    Stopped
        If the reporter asked for it; the same settings go on from there.
    """
    begin = time.monotonic()
    for option in ("geojson", "scheduler"):
        if getattr(settings, option) is not None:
            raise InputError(f"--{option} is for slides, '{settings.slide}' holds synthetic patches", "leave it out")
    pairs = load_pairs(settings.slide)
    folder = settings.slide.parent if settings.slide.name == PAIRS_FILE else settings.slide
    out = folder / CELLS_OF_PAIRS.format(name=name)
    if out.exists():
        raise InputError(f"'{out}' is there already", "choose another --name, or move it away")
    note = patch_note(pairs.facts.spec.mpp, model.facts)
    if note:
        reporter.message(note, "warning")
    density = chosen_factors(
        settings.density, lambda: factors_for(model.facts.density, density_of(pairs.patches)), reporter
    )
    part = _partial(out, settings, pairs, model, density)
    _fill(part, settings, pairs, model, reporter, density)
    counts = part.read()
    _write(out, pairs, counts, model, name)
    part.discard()
    return PairsCellsResult(
        out=out,
        patches=len(pairs),
        nuclei=int(counts.sum()),
        types=dict(zip(model.facts.type_names, counts.sum(axis=0).tolist(), strict=True)),
        seconds=time.monotonic() - begin,
    )


def _partial(out: Path, settings: CellsSettings, pairs: Pairs, model: CellModel, density: Density) -> PartialCounts:
    """What was counted of the same patches, in the same way, before a stop or a kill."""
    basis = {
        "weights": model.content_hash,
        "patches": content_hash([np.ascontiguousarray(pairs.patches).tobytes()]),
        "mpp": pairs.facts.spec.mpp,
        "batch": settings.batch,
        "precision": settings.precision,
        "density": list(density),
    }
    groups = -(-len(pairs) // settings.batch)
    return PartialCounts(out.with_name(f".{out.name}.part"), basis, groups, resume=settings.resume == "auto")


def _fill(
    part: PartialCounts, settings: CellsSettings, pairs: Pairs, model: CellModel, reporter: Reporter, density: Density
) -> None:
    """Count the groups of patches that are not there yet."""
    groups = [pairs.patches[at : at + settings.batch] for at in range(0, len(pairs), settings.batch)]
    todo = part.todo
    done = len(pairs) - sum(len(groups[number]) for number in todo)
    if done:
        reporter.going_on(f"after {done} of {len(pairs)} patches")
    net = NucleusNet(model, settings.device, settings.precision, settings.batch, density) if todo else None
    for number in todo:
        assert net is not None
        found = iter_patch_nuclei(net, groups[number], pairs.facts.spec.mpp, reporter)
        part.write(number, np.stack([patch_counts(nuclei, model.facts) for nuclei in found]))
        done += len(groups[number])
        reporter.progress(done, len(pairs), "patches")
        if reporter.stop_requested() and done < len(pairs):
            raise Stopped(
                f"the search was stopped after {done} of {len(pairs)} patches", "the same command goes on from here"
            )


def patch_note(mpp: float, facts: CellFacts) -> str | None:
    """What to say when patches are coarser than the weights; None when they are not."""
    factor = mpp / facts.mpp
    if factor <= 1.05:
        return None
    note = f"the patches have {mpp:.3g} um/px, the weights {facts.mpp:.3g} um/px: they are enlarged {factor:.1f} times"
    return note + ("; above 1 um/px nuclei can hardly be seen: do not trust the counts" if mpp > 1 else "")


def iter_patch_nuclei(
    net: NucleusNet, patches: NDArray[np.uint8], mpp: float, reporter: Reporter | None = None
) -> Iterator[Nuclei]:
    """Nuclei of each patch, in pixels of the network.

    Parameters
    ----------
    patches
        (N, px, px, 3) uint8.
    mpp
        Their microns per pixel; they are resampled to those of the network.

    Notes
    -----
    What lies beyond a patch is its mirror image; nuclei whose centroid lies inside count.
    """
    mode, fixed = net.facts.mode, FixedRange()
    side = max(8, round(patches.shape[1] * mpp / net.facts.mpp))
    for start in range(0, len(patches), net.batch):
        images = np.stack([_enlarged(patch, side, mode) for patch in patches[start : start + net.batch]])
        maps = net.maps(images, reporter)
        inner = slice(0, side)
        for i in range(len(images)):
            types = None if maps.types is None else maps.types[i, inner, inner]
            parts = (m[i, inner, inner] for m in (maps.prob, maps.horizontal, maps.vertical))
            yield postprocess(types, *parts, fixed=fixed)[1]


def _enlarged(patch: NDArray[np.uint8], side: int, mode: Mode) -> NDArray[np.uint8]:
    """A patch at the network's pixels, mirrored around so that the maps cover it."""
    kind = Image.Resampling.BICUBIC if side > len(patch) else Image.Resampling.HAMMING
    picture = np.asarray(Image.fromarray(patch).resize((side, side), kind))
    near = (INPUT_PX[mode] - OUTPUT_PX[mode]) // 2
    far = padded_size(side, mode) - side - near
    # "symmetric" repeats as often as it must, also for patches smaller than the border
    return np.pad(picture, ((near, far), (near, far), (0, 0)), mode="symmetric")


def patch_counts(nuclei: Nuclei, facts: CellFacts) -> NDArray[np.int64]:
    """(T,) nuclei of each type."""
    kind = nuclei.type - 1 if facts.nr_types else np.zeros(len(nuclei), np.int64)
    return np.asarray(count_types(np.zeros(len(nuclei), np.int64), kind, 1, len(facts.type_names))[0])


def _write(out: Path, pairs: Pairs, counts: NDArray[np.int64], model: CellModel, name: str) -> None:
    import anndata
    import pandas as pd

    obs = pd.DataFrame(
        {"source_a": pairs.source_a, "source_b": pairs.source_b, "weight": pairs.weight, "nuclei": counts.sum(axis=1)},
        index=[f"synthetic_{i}" for i in range(len(pairs))],
    )
    table: Any = anndata.AnnData(
        counts.astype(np.float32), obs=obs, var=pd.DataFrame(index=pd.Index(list(model.facts.type_names)))
    )
    table.layers["proportion"] = proportions(counts).astype(np.float32)
    table.uns["c2lst"] = cells_uns(
        "composition of synthetic patches", name, model.facts, model.content_hash, pairs.facts.spec.mpp
    )
    with atomic_folder(out) as folder:
        table.write_zarr(folder)
