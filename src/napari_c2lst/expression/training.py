"""The task `train`: a predictor for one slide, from training spots and, where given, synthetic pairs."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.device import describe_device, resolve_device
from napari_c2lst.common.errors import MismatchError
from napari_c2lst.common.files import content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.diffusion.pairs import Pairs, load_pairs
from napari_c2lst.slides.genes.panel import GenePanel, read_gene_list, refuse_few_spots
from napari_c2lst.slides.identity import spots_hash, training_basis
from napari_c2lst.slides.patches.cutting import PatchSpec, coarseness_note, spot_patches
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store.stored import open_stored

from .fitting import count_steps, fit_predictor
from .networks import check_pretrained
from .pool import Samples
from .predictor import Arm, Predictor, PredictorFacts
from .settings import TrainSettings


class TrainResult(TaskResult):
    """What `train` made."""

    predictor: Path
    arm: Arm
    n_real: int
    n_synthetic: int
    genes: int
    steps: int
    seconds: float

    def lines(self) -> list[str]:
        """What to tell the user at the end."""
        made = f" and {self.n_synthetic} synthetic pairs" if self.n_synthetic else ""
        real = f"{self.n_real} spots" if self.n_real else "no real spots"
        return [
            f"trained on {real}{made}: {self.genes} genes, {self.steps} steps, {self.seconds:.0f} s",
            f"predictor: {self.predictor}",
        ]


@dataclass(frozen=True, eq=False)
class Material:
    """All that a fit needs, checked.

    Attributes
    ----------
    slide
        The slide, open.
    training
        (N,) which of its spots are training spots.
    panel, spec
        Genes with their scale; size, pixels and stain of the patches.
    pairs
        Synthetic pairs that belong to this slide and these spots, or None.
    targets
        (n, d) expression of the training spots on the panel's scale.
    """

    slide: Slide
    training: NDArray[np.bool_]
    panel: GenePanel
    spec: PatchSpec
    pairs: Pairs | None
    targets: NDArray[np.float32]

    def real(self, workers: int | None = None) -> Samples:
        """Patches and expression of the training spots."""
        yx = self.slide.require_spots().yx[self.training]
        return spot_patches(self.slide, yx, self.spec, workers=workers), self.targets

    def synthetic(self) -> Samples | None:
        """Patches and expression of the pairs."""
        return None if self.pairs is None else (self.pairs.patches, self.pairs.targets)


def run(settings: TrainSettings, reporter: Reporter) -> TrainResult:
    """Train a predictor.

    Raises
    ------
    InputError
        If slide, spots, pairs or weights cannot be used; before any work.
    MismatchError
        If the pairs were made from another slide or from spots that are held out, or the run that is there, or its
        checkpoint, from other spots, genes or pairs.
    Stopped
        If the reporter asked for it, after a checkpoint was saved.
    """
    begin = time.monotonic()
    if settings.weights is not None:
        check_pretrained(settings.weights, allow_download=settings.allow_download)
    material = gather(settings, reporter)
    arm = arm_of(settings, material.pairs)
    folder = RunFolder.open(settings, reporter, kind="train", basis=_basis(material, arm))
    if (finished := folder.finished_result()) is not None:
        reporter.message(f"'{folder.path}' is finished already")
        return TrainResult.model_validate(finished)
    _announce(settings, material, arm, folder.reporter)
    real = material.real(settings.workers) if arm != "synthetic" else None
    synthetic = material.synthetic() if arm != "real" else None
    n_training = int(material.training.sum())
    net = fit_predictor(real, synthetic, settings, folder.reporter, folder, n_real=n_training)
    facts = _facts(settings, material, arm, count_steps(settings, n_training))
    result = TrainResult(
        predictor=Predictor(net, facts).save(folder.path),
        arm=arm,
        n_real=facts.n_real,
        n_synthetic=facts.n_synthetic,
        genes=len(facts.panel),
        steps=facts.steps,
        seconds=time.monotonic() - begin,
    )
    folder.finish(result)
    return result


def gather(settings: TrainSettings, reporter: Reporter) -> Material:
    """Open the slide, read the spot set and the pairs, and check that they belong together.

    Raises
    ------
    InputError
        If one of them cannot be used.
    MismatchError
        If they do not belong together.
    """
    from napari_c2lst.slides.spots.spotsets import read_spot_set

    slide = open_stored(settings, reporter, spots=True)
    training = np.asarray(read_spot_set(slide, settings.spots).mask, dtype=bool)
    refuse_few_spots(int(training.sum()), f"the spot set '{settings.spots}' of slide '{slide.name}'")
    names = None if settings.gene_list is None else read_gene_list(settings.gene_list)
    pairs = None if settings.synthetic is None else load_pairs(settings.synthetic)
    if pairs is None:
        panel, spec = _own_panel(settings, slide, training, names)
    else:
        _check_pairs(pairs, slide, training, names, settings, reporter)
        panel, spec = pairs.facts.panel, pairs.facts.spec
    if (note := coarseness_note(slide, spec)) is not None:
        reporter.message(note, "warning")
    # now, not when they are needed: a gene that the slide lacks is found before any work
    targets = panel.targets(slide.counts()[training], slide.genes, where=f"slide '{slide.name}'")
    return Material(slide, training, panel, spec, pairs, targets)


def arm_of(settings: TrainSettings, pairs: Pairs | None) -> Arm:
    """What the predictor is trained on."""
    if pairs is None or settings.use == "real":
        return "real"
    return "synthetic" if settings.use == "synthetic" else "real+synthetic"


def _own_panel(
    settings: TrainSettings, slide: Slide, training: NDArray[np.bool_], names: list[str] | None
) -> tuple[GenePanel, PatchSpec]:
    from napari_c2lst.diffusion.central import central_spec

    spec = central_spec(settings.central, allow_download=settings.allow_download)
    where = f"slide '{slide.name}'"
    panel = GenePanel.fit(slide.counts(), slide.genes, training=training, size=settings.genes, names=names, where=where)
    return panel, spec


def _check_pairs(
    pairs: Pairs,
    slide: Slide,
    training: NDArray[np.bool_],
    names: list[str] | None,
    settings: TrainSettings,
    reporter: Reporter,
) -> None:
    spots = slide.require_spots()
    ids = spots.ids[training]
    pairs.refuse_held_out(slide.name, spots_hash(spots), ids.tolist())
    if names is not None and tuple(names) != pairs.genes:
        raise MismatchError(
            f"the gene list '{settings.gene_list}' differs from the {len(pairs.genes)} genes of the pairs",
            "leave --gene-list out, or adapt and sample with it",
        )
    if len(pairs.facts.training_ids) < len(ids):
        reporter.message(
            f"the pairs know {len(pairs.facts.training_ids)} of the {len(ids)} training spots;"
            " genes and scale are theirs",
            "warning",
        )


def _basis(material: Material, arm: Arm) -> dict[str, str]:
    pairs = None if arm == "real" else material.pairs
    return {
        **training_basis(material.slide.require_spots(), material.training, material.panel),
        "size or stain of patches": content_hash([material.spec.model_dump_json().encode()]),
        **({} if pairs is None else {"synthetic pairs": _pairs_hash(pairs)}),
    }


def _announce(settings: TrainSettings, material: Material, arm: Arm, reporter: Reporter) -> None:
    n = int(material.training.sum())
    sources = {
        "real": f"{n} spots",
        "synthetic": f"{len(material.pairs or ())} synthetic pairs",
        "real+synthetic": f"{n} spots and {len(material.pairs or ())} synthetic pairs",
    }
    reporter.message(
        f"preset {settings.preset}: network {settings.network} on {sources[arm]}, {len(material.panel)} genes,"
        f" {count_steps(settings, n)} steps of {settings.batch} patches"
        f" on {describe_device(resolve_device(settings.device))}"
    )


def _facts(settings: TrainSettings, material: Material, arm: Arm, steps: int) -> PredictorFacts:
    spots, pairs = material.slide.require_spots(), material.pairs
    used = pairs is not None and arm != "real"
    return PredictorFacts(
        panel=material.panel,
        spec=material.spec,
        training_ids=tuple(spots.ids[material.training].tolist()),
        arm=arm,
        steps=steps,
        slide=material.slide.name,
        spots_hash=spots_hash(spots),
        pairs_hash=_pairs_hash(pairs) if pairs is not None and used else None,
        n_real=int(material.training.sum()) if arm != "synthetic" else 0,
        n_synthetic=len(pairs) if pairs is not None and used else 0,
        seed=settings.seed,
    )


def _pairs_hash(pairs: Pairs) -> str:
    return content_hash([pairs.facts.model_dump_json().encode(), pairs.patches.tobytes(), pairs.targets.tobytes()])
