"""Count the nuclei of real and synthetic patches with one network, at the same pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_c2lst.cells.density import density_note, density_of, factors_for
from napari_c2lst.cells.facts import Density
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.synthetic import iter_patch_nuclei, patch_counts, patch_note
from napari_c2lst.cells.weights import CellModel, load_hovernet
from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import rng
from napari_c2lst.diffusion.pairs import Pairs
from napari_c2lst.slides.patches.cutting import coarseness_note, spot_patches
from napari_c2lst.slides.slide import Slide

from .composition import Composition, PatchCells
from .settings import EvaluateSettings

__all__ = ["compare_nuclei", "load_weights"]

BATCH = 8
Images = npt.NDArray[np.uint8]


def load_weights(settings: EvaluateSettings, reporter: Reporter) -> CellModel | None:
    """The HoVer-Net that was asked for; None when none was. What its authors want said is said.

    Raises
    ------
    InputError
        If there are no such weights.
    MismatchError
        If they know no types: there is no composition then.
    """
    if settings.cells is None:
        return None
    model = load_hovernet(
        settings.cells,
        type_info=settings.type_info,
        allow_download=settings.allow_download,
        accept_licence=settings.accept_licence,
    )
    if not model.facts.nr_types:
        raise MismatchError(
            f"the weights '{settings.cells}' know nuclei, but no types: no composition can be counted",
            "give weights with types",
        )
    if model.facts.notice:
        reporter.message(model.facts.notice)
    return model


def compare_nuclei(
    settings: EvaluateSettings, slide: Slide, pairs: Pairs, model: CellModel, reporter: Reporter
) -> Composition:
    """Count the nuclei of synthetic patches, and of the real patches of the spots they were made from.

    Real patches are read as the pairs' `PatchSpec` has them, so that they come with the pixels and the stain of the
    synthetic ones: a difference is then one of the tissue, not of the resolution. Of many patches a random choice is
    looked at.

    Raises
    ------
    InputError
        If no spot of the pairs is on the slide.
    Stopped
        If the reporter asked for it.
    """
    spots, spec, facts = slide.require_spots(), pairs.facts.spec, model.facts
    rows = np.flatnonzero(np.isin(spots.ids, np.concatenate([pairs.source_a, pairs.source_b])))
    if not rows.size:
        raise InputError(f"no spot of the pairs is on slide '{slide.name}'", "give pairs of this slide")
    real = _drawn(rows, settings, "real")
    synthetic = _drawn(np.arange(len(pairs)), settings, "synthetic")
    reporter.message(f"nuclei of {len(real)} real and {len(synthetic)} synthetic patches")
    notes = _notes(slide, pairs, model)
    for note in notes[1:]:
        reporter.message(note, "warning")
    patches = spot_patches(slide, spots.yx[real], spec, workers=settings.workers)
    # both kinds alike: a difference between them must stay one
    factors = factors_for(facts.density, density_of(patches))
    net = NucleusNet(model, settings.device, settings.precision, BATCH, factors)
    counting = _Counting(net, spec.mpp, len(real) + len(synthetic), reporter)
    of_real = counting.counts(patches)
    of_synthetic = counting.counts(pairs.patches[synthetic])
    return Composition.of(
        PatchCells(spots.ids[real].astype(str), of_real, len(rows)),
        PatchCells(_sources(pairs)[synthetic], of_synthetic, len(pairs)),
        seed=settings.seed,
        types=facts.type_names,
        mpp=spec.mpp,
        weights=facts.name,
        weights_hash=model.content_hash,
        notes=(*notes, *_density_notes(factors), *([facts.notice] if facts.notice else [])),
    )


def _density_notes(factors: Density) -> list[str]:
    note = density_note(factors)
    return [] if note is None else [f"{note} in both kinds of patches"]


class _Counting:
    """Counts patches of several groups under one progress."""

    def __init__(self, net: NucleusNet, mpp: float, total: int, reporter: Reporter) -> None:
        self.net, self.mpp, self.total, self.reporter = net, mpp, total, reporter
        self.done = 0

    def counts(self, patches: Images) -> npt.NDArray[np.int64]:
        """(n, T) nuclei of each type."""
        counts = np.zeros((len(patches), len(self.net.facts.type_names)), np.int64)
        for i, nuclei in enumerate(iter_patch_nuclei(self.net, patches, self.mpp, self.reporter)):
            counts[i] = patch_counts(nuclei, self.net.facts)
            self.done += 1
            self.reporter.progress(self.done, self.total, "patches searched for nuclei")
            if self.reporter.stop_requested() and self.done < self.total:
                raise Stopped(
                    f"the search for nuclei was stopped after {self.done} of {self.total} patches",
                    "the same command starts it anew",
                )
        return counts


def _drawn(rows: npt.NDArray[np.int64], settings: EvaluateSettings, group: str) -> npt.NDArray[np.int64]:
    most = settings.cells_patches
    if len(rows) <= most:
        return rows
    return np.sort(rng(settings.seed, "composition", group).choice(rows, most, replace=False))


def _sources(pairs: Pairs) -> npt.NDArray[np.str_]:
    mixed = np.char.add(np.char.add(pairs.source_a, "+"), pairs.source_b)
    return np.where(pairs.weight > 0, mixed, pairs.source_a)


def _notes(slide: Slide, pairs: Pairs, model: CellModel) -> list[str]:
    """How the two were made alike, then what speaks against the counts."""
    spec = pairs.facts.spec
    stain = " and stain" if spec.stain is not None else ""
    alike = (
        f"real patches were brought to the pixels{stain} of the synthetic ones ({spec.patch_px} px of {spec.mpp:.3g}"
        " um) before nuclei were sought in both"
    )
    cautions = (patch_note(spec.mpp, model.facts), coarseness_note(slide, spec))
    return [alike, *(note for note in cautions if note)]
