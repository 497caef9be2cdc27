"""The task `sample`: synthetic pairs from a local model."""

import dataclasses
import time
from pathlib import Path

import numpy as np

from napari_c2lst.common.device import autocast_dtype, describe_device, halve_on_out_of_memory, resolve_device
from napari_c2lst.common.durations import in_words
from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.files import content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store.stored import open_stored

from .central import load_central
from .conditions import Conditions, plan_conditions
from .guidance import Guidance
from .local import LocalModel, find_source, load_local
from .pairs import PAIRS_FILE, PairsFacts, partial_store
from .pairs_on_disk import open_pairs
from .pairs_writing import PairsWriter
from .previews import write_sheet
from .samplers import Engine, Patches, sample
from .settings import SampleSettings
from .solvers import SamplingPlan

PREVIEW_PATCHES = 32


class SampleResult(TaskResult):
    """Finished pairs."""

    run: Path
    pairs: Path
    picture: Path
    patches: int
    spots: int
    genes: int

    def lines(self) -> list[str]:
        return [
            f"{self.patches} synthetic pairs from {self.spots} training spots and {self.genes} genes: {self.pairs}",
            f"some of them: {self.picture}",
            f"next: c2lst train SLIDE --synthetic {self.run} --out RUN",
        ]


def run(settings: SampleSettings, reporter: Reporter) -> SampleResult:
    """Sample synthetic pairs for the expression of the training spots.

    Raises
    ------
    InputError
        If slide or models cannot be used, or the run folder is taken.
    MismatchError
        If the models do not belong together, the training spots are not on the slide, or the run that is there, or
        its checkpoint, was made with another local model or of other expression.
    Stopped
        If asked to stop; what was drawn is kept.
    """
    device = resolve_device(settings.device)
    local = load_local(settings.local)
    central = load_central(
        settings.central or find_source(settings.local, local.facts), allow_download=settings.allow_download
    )
    local.check_central(central)
    slide = open_stored(settings, reporter, spots=True)
    conditions = _conditions(settings, slide, local)
    basis = _basis(slide, local, conditions)
    folder = RunFolder.open(settings, reporter, kind=settings.task, basis=basis)
    done = folder.finished_result()
    if done is not None:
        reporter.message(f"'{folder.path}' is finished already")
        return SampleResult.model_validate(done)
    engine = Engine(central, device, autocast_dtype(device, settings.precision), settings.micro_batch)
    local.modulation.to(device)
    return Sampling(engine, local, conditions, settings, folder, spots_hash=basis["slide"]).run()


def plan_of(settings: SampleSettings) -> SamplingPlan:
    """How the settings say to sample."""
    guidance = Guidance(settings.guidance, settings.guidance_low, settings.guidance_high, settings.rescale)
    return SamplingPlan(settings.sampler, settings.steps, guidance, settings.eta, settings.spacing)


def _conditions(settings: SampleSettings, slide: Slide, local: LocalModel) -> Conditions:
    """Of the local model's training spots and of no other."""
    place = {str(name): row for row, name in enumerate(slide.require_spots().ids)}
    ids = local.facts.training_ids
    missing = sum(name not in place for name in ids)
    if missing:
        raise _other_slide(local, slide, f"{missing} of its {len(ids)} training spots are not there")
    rows = np.array([place[name] for name in ids], dtype=np.int64)
    targets = local.facts.panel.targets(slide.counts()[rows], slide.genes, where=f"slide '{slide.name}'")
    # barcodes repeat from slide to slide and names change, expression does neither
    if not np.allclose(targets.mean(axis=0), local.facts.panel.mean, atol=1e-3):
        raise _other_slide(local, slide, "its training spots have other expression there")
    return plan_conditions(
        targets,
        np.array(ids, dtype=np.str_),
        ratio=settings.ratio,
        interpolate=settings.interpolate,
        partners=settings.partners,
        neighbours=settings.neighbours,
        seed=settings.seed,
    )


def _basis(slide: Slide, local: LocalModel, conditions: Conditions) -> dict[str, str]:
    c = conditions
    # their expression is not hashed, its last digits depend on the machine: it follows from the spots and the weights
    rows = zip(c.source_a.tolist(), c.source_b.tolist(), c.weight.tolist(), strict=True)
    return {
        "slide": spots_hash(slide.require_spots()),
        "local model": local.content_hash,
        "spots whose expression is drawn": content_hash(f"{a} {b} {weight:.4f}\n".encode() for a, b, weight in rows),
    }


def _other_slide(local: LocalModel, slide: Slide, why: str) -> MismatchError:
    return MismatchError(
        f"the local model was adapted to slide '{local.facts.slide}', not to '{slide.name}': {why}",
        "give the slide it was adapted to, or run 'c2lst adapt' on this one",
    )


class Sampling:
    """One sampling run on its way: draw, write, remember how far it is."""

    def __init__(
        self,
        engine: Engine,
        local: LocalModel,
        conditions: Conditions,
        settings: SampleSettings,
        folder: RunFolder,
        *,
        spots_hash: str,
    ) -> None:
        self.engine, self.local = engine, local
        self.conditions, self.settings, self.folder = conditions, settings, folder
        self.reporter, self.spots_hash = folder.reporter, spots_hash
        self.plan = plan_of(settings)
        self.z = local.facts.panel.condition(conditions.targets)
        # parts that end at a micro-batch's end leave no row of the network empty
        micro = engine.micro_batch
        self.rows = -(-settings.batch // micro) * micro

    def run(self) -> SampleResult:
        """Draw every patch that is left, then give the store its name."""
        store, facts = self.folder.path / PAIRS_FILE, self._facts()
        # a run that was killed between its last patch and its result has all its pairs
        if store.exists() and not partial_store(store).exists() and open_pairs(store).facts == facts:
            return self._finish(store)
        done = self._done()
        writer = PairsWriter(
            store,
            self.conditions,
            facts,
            seed=self.settings.seed,
            rows=self.rows,
            resume=done > 0,
        )
        if done:
            self.reporter.going_on(f"after {done} patches")
        self._announce(len(self.conditions) - done)
        for start in range(done, len(self.conditions), self.rows):
            patches = self._draw(start, min(start + self.rows, len(self.conditions)), self.plan)
            writer.write(start, patches)
            if start == 0:
                self._picture(patches)
            self._after_part(start + len(patches))
        return self._finish(writer.finish())

    def _done(self) -> int:
        """Patches that are drawn already."""
        loaded = self.folder.load_checkpoint()
        done = int(loaded[1]["done"]) if loaded else 0
        if done and not partial_store(self.folder.path / PAIRS_FILE).exists():
            raise InputError(
                f"the {done} patches of checkpoint '{self.folder.checkpoint}' are not in '{self.folder.path}'",
                "go on in the run folder it belongs to, with --resume auto, or leave --resume out",
            )
        return done

    def _facts(self) -> PairsFacts:
        keep = ("sampler", "steps", "guidance", "guidance_low", "guidance_high", "rescale", "eta", "spacing", "seed")
        values = self.settings.model_dump(mode="json")
        facts = self.local.facts
        return PairsFacts(
            slide=facts.slide,
            spots_hash=self.spots_hash,
            training_ids=facts.training_ids,
            panel=facts.panel,
            spec=facts.spec,
            central_hash=facts.central_hash,
            local_hash=self.local.content_hash,
            sampling={name: values[name] for name in (*keep, "ratio", "interpolate", "partners", "neighbours")},
        )

    def _announce(self, left: int) -> None:
        s, schedule = self.settings, self.engine.central.schedule
        # two steps of DDIM, one of them guided, tell what an evaluation takes
        short = SamplingPlan("ddim", 2, self.plan.guidance)
        begin = time.perf_counter()
        self._draw(0, min(self.engine.micro_batch, len(self.conditions)), short)
        seconds = (time.perf_counter() - begin) / short.evaluations(schedule)
        evaluations = self.plan.evaluations(schedule)
        self.reporter.message(
            f"preset {s.preset} on {describe_device(self.engine.device)}: {left} patches by {s.sampler} in {s.steps} "
            f"steps ({evaluations} evaluations of the network each), guidance {s.guidance:g}; "
            f"about {in_words(seconds * evaluations * -(-left // self.engine.micro_batch))}"
        )

    def _draw(self, start: int, stop: int, plan: SamplingPlan) -> Patches:
        def work(micro_batch: int) -> Patches:
            if micro_batch != self.engine.micro_batch:
                self.engine = dataclasses.replace(self.engine, micro_batch=micro_batch)
            z, seed = self.z[start:stop], self.settings.seed
            return sample(self.engine, self.local.modulation, z, plan, seed=seed, first=start)

        return halve_on_out_of_memory(work, self.engine.micro_batch, self.reporter)

    def _after_part(self, done: int) -> None:
        total = len(self.conditions)
        self.reporter.progress(done, total, "patches")
        if done == total:
            return
        checkpoint = self.folder.save_checkpoint(done, {}, {"done": done})
        if self.reporter.stop_requested():
            raise Stopped(f"stopped after {done} of {total} patches", self.folder.continue_hint(), checkpoint)

    def _picture(self, patches: Patches) -> None:
        path = self.folder.path / "samples.png"
        write_sheet(patches[:PREVIEW_PATCHES], path, columns=8)
        self.reporter.picture(path, "synthetic patches")

    def _finish(self, pairs: Path) -> SampleResult:
        facts = self.local.facts
        result = SampleResult(
            run=self.folder.path,
            pairs=pairs,
            picture=self.folder.path / "samples.png",
            patches=len(self.conditions),
            spots=len(facts.training_ids),
            genes=len(facts.panel),
        )
        self.folder.finish(result)
        return result
