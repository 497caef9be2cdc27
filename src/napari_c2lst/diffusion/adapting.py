"""The task `adapt`: a central model learns one slide's training spots."""

import statistics
from pathlib import Path

import numpy as np
import torch

from napari_c2lst.common.device import autocast_dtype, describe_device, resolve_device
from napari_c2lst.common.durations import in_words
from napari_c2lst.common.errors import Stopped
from napari_c2lst.common.places import keep_place
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.genes.panel import GenePanel, read_gene_list
from napari_c2lst.slides.identity import training_basis
from napari_c2lst.slides.patches.cutting import coarseness_note, spot_patches
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set
from napari_c2lst.slides.store.stored import open_stored

from .central import EMBEDDED, CentralModel, load_central
from .local import LocalFacts, LocalModel
from .local_fit import LocalFit, Spots
from .modulation import Modulation, norm_channels
from .previews import write_sheet
from .samplers import Engine, sample
from .settings import AdaptSettings
from .solvers import SamplingPlan
from .unet import count_parameters

PREVIEW_SPOTS = 8
MEAN_OF = 100


class AdaptResult(TaskResult):
    """A finished local model."""

    run: Path
    local: Path
    central_hash: str
    parameters: int
    bytes: int
    spots: int
    genes: int
    steps: int
    loss: float

    def lines(self) -> list[str]:
        return [
            f"local model: {self.local} ({self.bytes / 1e6:.1f} MB, {self.parameters:,} parameters)",
            f"{self.steps} steps on {self.spots} spots and {self.genes} genes, loss {self.loss:.4f} "
            f"(mean of the last {min(MEAN_OF, self.steps)} steps)",
            f"next: c2lst sample SLIDE --local {self.run} --out PAIRS",
        ]


def run(settings: AdaptSettings, reporter: Reporter) -> AdaptResult:
    """Adapt a central model to the training spots of a slide.

    Raises
    ------
    InputError
        If slide, spots, panel or central model cannot be used, or the run folder is taken.
    MismatchError
        If the run that is there, or its checkpoint, was made from other spots, genes or another central model.
    Stopped
        If asked to stop, after a checkpoint.
    """
    device = resolve_device(settings.device)
    central = load_central(settings.central, allow_download=settings.allow_download)
    slide = open_stored(settings, reporter, spots=True)
    chosen = read_spot_set(slide, settings.spots)
    facts = _facts(settings, slide, central, chosen)
    channels = norm_channels(central.net, settings.blocks)
    basis = training_basis(slide.require_spots(), chosen.mask, facts.panel) | {"central model": central.content_hash}
    folder = RunFolder.open(settings, reporter, kind=settings.task, basis=basis)
    done = folder.finished_result()
    if done is not None:
        reporter.message(f"'{folder.path}' is finished already")
        return AdaptResult.model_validate(done)
    spots = _spots(settings, slide, chosen, facts, folder.reporter)
    torch.manual_seed(settings.seed)  # the initial projection
    modulation = Modulation(len(facts.panel), settings.embedding, channels, settings.null)
    dtype = autocast_dtype(device, settings.precision)
    fit = LocalFit(central, modulation, spots, settings, device, dtype, folder.reporter)
    return Adaptation(fit, facts, spots, folder).run()


def _facts(settings: AdaptSettings, slide: Slide, central: CentralModel, chosen: SpotSet) -> LocalFacts:
    counts, genes = slide.counts(), slide.genes
    names = None if settings.gene_list is None else read_gene_list(settings.gene_list)
    panel = GenePanel.fit(
        counts, genes, training=chosen.mask, size=settings.genes, names=names, where=f"slide '{slide.name}'"
    )
    return LocalFacts(
        central_hash=central.content_hash,
        central_source=_kept(settings.central, settings.out),
        central_name=central.name,
        slide=slide.name,
        panel=panel,
        spec=central.spec,
        training_ids=tuple(str(i) for i in slide.require_spots().ids[chosen.mask]),
    )


def _kept(source: str, run: Path) -> str:
    """A source as the local model names it: one that means the same elsewhere, without folders of this machine."""
    return keep_place(Path(source), run) if source != EMBEDDED and Path(source).exists() else source


def _spots(settings: AdaptSettings, slide: Slide, chosen: SpotSet, facts: LocalFacts, reporter: Reporter) -> Spots:
    note = coarseness_note(slide, facts.spec)
    if note:
        reporter.message(note, "warning")
    mask = chosen.mask
    targets = facts.panel.targets(slide.counts()[np.flatnonzero(mask)], slide.genes, where=f"slide '{slide.name}'")
    patches = spot_patches(slide, slide.require_spots().yx[mask], facts.spec, workers=settings.workers)
    return Spots(patches, facts.panel.condition(targets))


class Adaptation:
    """One adaptation on its way: steps, checkpoints, pictures, the model at the end."""

    def __init__(self, fit: LocalFit, facts: LocalFacts, spots: Spots, folder: RunFolder) -> None:
        self.fit, self.facts, self.spots, self.folder = fit, facts, spots, folder
        self.settings, self.reporter = fit.settings, folder.reporter
        self.step = 0
        self.losses: list[float] = []

    def run(self) -> AdaptResult:
        """Take every step that is left, then save the model."""
        self._restore()
        self._announce()
        while self.step < self.settings.steps:
            loss = self.fit.step(self.step)
            self.step += 1
            self.losses = [*self.losses[1 - MEAN_OF :], loss]
            self.reporter.metrics(self.step, {"loss": loss, "mean_loss": statistics.fmean(self.losses)})
            self.reporter.progress(self.step, self.settings.steps, "steps")
            self._after_step()
        return self._finish()

    def _restore(self) -> None:
        loaded = self.folder.load_checkpoint()
        if loaded is None:
            return
        tensors, state = loaded
        self.fit.load(tensors)
        self.step, self.losses = int(state["step"]), list(state["losses"])
        self.reporter.going_on(f"after step {self.step}")

    def _announce(self) -> None:
        s = self.settings
        seconds = self.fit.seconds_per_step() * (s.steps - self.step)
        self.reporter.message(
            f"preset {s.preset} on {describe_device(self.fit.device)}: {len(self.spots.patches)} training spots, "
            f"{len(self.facts.panel)} genes, {s.steps} steps of {s.batch * s.accumulation} patches, "
            f"{count_parameters(self.fit.modulation):,} parameters learn; about {in_words(seconds)}"
        )

    def _after_step(self) -> None:
        s = self.settings
        stop = self.reporter.stop_requested()
        if self.step < s.steps and (stop or self.step % s.checkpoint_every == 0):
            checkpoint = self.folder.save_checkpoint(self.step, self.fit.tensors(), {"losses": self.losses})
            if stop:
                raise Stopped(f"stopped after step {self.step} of {s.steps}", self.folder.continue_hint(), checkpoint)
        if s.preview_every and self.step % s.preview_every == 0:
            self._preview()

    def _preview(self) -> None:
        """A strip: real patches of some training spots above, synthetic ones for their expression below."""
        n = min(PREVIEW_SPOTS, len(self.spots.patches))
        shown = np.sort(rng(self.settings.seed, "preview").choice(len(self.spots.patches), n, replace=False))
        engine = Engine(self.fit.central, self.fit.device, self.fit.dtype, micro_batch=n)
        drawn = sample(
            engine, self.fit.averaged(), self.spots.conditions[shown], SamplingPlan(), seed=self.settings.seed
        )
        path = self.folder.path / "previews" / f"step_{self.step:08d}.png"
        write_sheet(np.concatenate([self.spots.patches[shown], drawn]), path, columns=n)
        self.reporter.picture(path, f"training spots and synthetic patches for them, step {self.step}")

    def _finish(self) -> AdaptResult:
        record = {"steps": self.step, "seed": self.settings.seed, "loss": statistics.fmean(self.losses)}
        facts = self.facts.model_copy(update={"training": record})
        file = LocalModel(self.fit.averaged(), facts).save(self.folder.path)
        result = AdaptResult(
            run=self.folder.path,
            local=file,
            central_hash=facts.central_hash,
            parameters=count_parameters(self.fit.modulation),
            bytes=file.stat().st_size,
            spots=len(facts.training_ids),
            genes=len(facts.panel),
            steps=self.step,
            loss=statistics.fmean(self.losses),
        )
        self.folder.finish(result)
        return result
