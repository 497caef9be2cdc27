"""The task `evaluate`: an honest score of the runs there are, or of runs repeated over several splits and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from napari_c2lst.cells.weights import CellModel
from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import OnceReporter, Reporter
from napari_c2lst.common.runs import RunFolder, read_config
from napari_c2lst.diffusion.central import central_spec
from napari_c2lst.diffusion.pairs import Pairs, load_pairs
from napari_c2lst.slides.genes.genenames import match_genes
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import read_spot_set
from napari_c2lst.slides.store.stored import open_stored

from .composition import (
    FIGURE,
    Composition,
    composition_lines,
    composition_notes,
    remove_composition,
    write_composition,
)
from .figures.composition import composition_figure
from .figures.style import save
from .heldout import HeldOut, held_out_of
from .nuclei import compare_nuclei, load_weights
from .pictures import Picture, draw_pictures
from .records import Trial
from .report import table_lines, write_differences, write_genes, write_page, write_scores
from .rerunning import rerun
from .result import EvaluateResult
from .scoring import differences, gene_scores, score_trial
from .settings import EvaluateSettings
from .sources import Group, Run, group_runs, load_runs, stored_runs
from .trials import Question, make_trial

__all__ = ["EvaluateResult", "run"]

# What may be asked otherwise of a folder that is there: a score is made anew each time, and of a repeated chain every
# step checks its own settings, so that more seeds are added to those that are finished.
SHOWING = {"figures", "genes_shown", "pairs", "draws", "cells", "cells_patches", "type_info"}
REPEATING = {"splits", "seeds", "arms"}


@dataclass(frozen=True, eq=False)
class _Scored:
    """What was scored, before it is written."""

    slide: Slide
    trials: list[Trial]
    questions: list[Question]
    notes: list[str]
    composition: Composition | None = None


def run(settings: EvaluateSettings, reporter: Reporter) -> EvaluateResult:
    """Score predictions on held-out spots beside the baselines, and write tables, figures and a page.

    Raises
    ------
    InputError
        If the slide, a predictor or the stored predictions cannot be used, or too few spots are held out.
    Stopped
        If the reporter asked for it; with `rerun`, what is finished is kept.
    """
    slide = None if settings.rerun else open_stored(settings, reporter, spots=True)
    runs = [] if slide is None else _runs_there(settings, slide, reporter)
    named = None if slide is None else _named_pairs(settings, slide)
    cells = load_weights(settings, reporter)
    folder = RunFolder.open(
        settings, reporter, kind=settings.task, free=SHOWING | (REPEATING if settings.rerun else set())
    )
    reporter = folder.reporter
    if slide is None:
        reporter = OnceReporter(reporter)
        predictors = rerun(settings, folder.path, reporter)
        slide = open_stored(settings, reporter, spots=True)  # only now: the spot sets of the repeats are in the store
        runs = load_runs(
            slide, predictors, device=settings.device, precision=settings.precision, root=folder.path.absolute()
        )
        named = _named_pairs(settings, slide)
    scored = _score(settings, slide, runs, reporter)
    pairs = _pairs_learned_from(settings, folder.path, reporter) if named is None else named
    if cells is not None:
        scored = _with_nuclei(settings, scored, pairs, cells, reporter)
    result = _write(settings, scored, pairs, folder.path, reporter)
    folder.finish(result)
    return result


def _runs_there(settings: EvaluateSettings, slide: Slide, reporter: Reporter) -> list[Run]:
    """Predictors that were named, and predictions stored in the slide that are not theirs."""
    runs = load_runs(slide, settings.predictors, device=settings.device, precision=settings.precision)
    if settings.runs or not settings.predictors:
        known = {one.content_hash for one in runs}
        runs += [one for one in stored_runs(slide, settings.runs) if one.content_hash not in known]
    if not runs:
        reporter.message(
            f"slide '{slide.name}' holds no predictions on spots: only the baselines are scored, with the training"
            f" spots of set '{settings.spots}'; make predictions with 'c2lst predict', or name --predictors",
            "warning",
        )
    return runs


def _score(settings: EvaluateSettings, slide: Slide, runs: Sequence[Run], reporter: Reporter) -> _Scored:
    groups, notes = group_runs(runs)
    questions = [_question(slide, group) for group in groups] or [_baselines_alone(settings, slide)]
    for question in questions:
        notes += [note for note in question.held.notes() if note not in notes]
    if settings.figures:
        _check_genes(settings.genes_shown, questions)
    workers, seed = settings.workers, settings.seed
    trials = [make_trial(slide, question, reporter, workers=workers, seed=seed) for question in questions]
    notes += _scale_note(trials)
    for note in notes:
        reporter.message(note)
    return _Scored(slide, trials, questions, notes)


def _check_genes(genes: Sequence[str], questions: Sequence[Question]) -> None:
    """Refuse a gene that is in no panel before anything is predicted; figures come last."""
    known = list(dict.fromkeys(gene for question in questions for gene in question.panel.genes))
    unknown = [gene for gene in genes if not _has(known, gene)]
    if unknown:
        close = [near for gene in unknown for near in get_close_matches(gene, known, n=2)]
        hint = f"did you mean {', '.join(close)}?" if close else f"it has {len(known)} genes, such as {known[0]}"
        raise InputError(f"genes to show that are not in the gene panel: {', '.join(unknown)}", hint)


def _has(known: list[str], gene: str) -> bool:
    try:
        match_genes([gene], known)
    except MismatchError:
        return False
    return True


def _with_nuclei(
    settings: EvaluateSettings, scored: _Scored, pairs: Pairs | None, cells: CellModel, reporter: Reporter
) -> _Scored:
    if pairs is None:
        note = "nuclei were not compared: there are no synthetic pairs; name them with --pairs"
        reporter.message(note, "warning")
        return replace(scored, notes=[*scored.notes, note])
    found = compare_nuclei(settings, scored.slide, pairs, cells, reporter)
    return replace(scored, notes=scored.notes + composition_notes(found), composition=found)


def _scale_note(trials: Sequence[Trial]) -> list[str]:
    scales = [trial.scale for trial in trials if trial.scale is not None]
    if not scales or max(scales) <= 1.01 * min(scales):
        return []
    return [
        "the scale of an MAE follows the training spots (counts are scaled to their median total, here"
        f" {min(scales):.0f} to {max(scales):.0f}): compare MAEs of one training set, or the share against the median"
    ]


def _question(slide: Slide, group: Group) -> Question:
    held = held_out_of(slide, group.training, group.spec.patch_um)
    return Question(held, group.panel, group.spec, group.runs, group.label)


def _baselines_alone(settings: EvaluateSettings, slide: Slide) -> Question:
    chosen = read_spot_set(slide, settings.spots)
    panel = GenePanel.fit(slide.counts(), slide.genes, training=chosen.mask, where=f"slide '{slide.name}'")
    spec = central_spec(settings.central, allow_download=settings.allow_download)
    held: HeldOut = held_out_of(slide, chosen.mask, spec.patch_um)
    return Question(held, panel, spec)


def _write(
    settings: EvaluateSettings, scored: _Scored, pairs: Pairs | None, folder: Path, reporter: Reporter
) -> EvaluateResult:
    options = {"seed": settings.seed, "draws": settings.draws}
    scores = [score for trial in scored.trials for score in score_trial(trial, **options)]
    found = differences(scored.trials, **options)
    lines = table_lines(scores, found)
    nuclei = scored.composition
    lines += composition_lines(nuclei) if nuclei else []
    remove_composition(folder)
    paths = {
        "scores": write_scores(folder / "scores.csv", scores),
        "genes": write_genes(folder / "genes.csv", [row for trial in scored.trials for row in gene_scores(trial)]),
        "differences": write_differences(folder / "differences.csv", found),
    }
    pictures: list[Picture] = []
    if settings.figures:
        reporter.message("drawing figures")
        pictures = draw_pictures(
            scored.slide,
            scored.trials,
            scored.questions,
            scores,
            folder / "figures",
            genes=settings.genes_shown,
            pairs=pairs,
            workers=settings.workers,
        )
        if nuclei:
            pictures.append(_composition_picture(nuclei, folder / "figures", scored.slide.name))
    for picture in pictures:
        reporter.picture(picture.png, picture.caption)
    figures = {picture.caption: picture.png for picture in pictures}
    title = f"{scored.slide.name}: genes predicted on spots not seen in training"
    page = write_page(folder / "report.md", title, lines, figures, scored.notes)
    return EvaluateResult(
        **paths,
        composition=write_composition(folder, nuclei) if nuclei else None,
        page=page,
        figures=[p.png for p in pictures],
        table=lines,
        notes=[*scored.notes],
    )


def _composition_picture(found: Composition, folder: Path, slide: str) -> Picture:
    counts = {name: group.counts for name, group in found.groups.items()}
    said = "" if found.divergence is None else f"Jensen-Shannon divergence {found.divergence:.4f} bits: {found.verdict}"
    figure = composition_figure(found.types, counts, said, title=f"{slide}: nuclei of real and of synthetic patches")
    files = save(figure, folder, FIGURE)
    return Picture("Types of nuclei in real and in synthetic patches", files.png, files.svg)


def _named_pairs(settings: EvaluateSettings, slide: Slide) -> Pairs | None:
    """The pairs that were named to be shown or searched for nuclei."""
    if settings.pairs is None or not _wants_pairs(settings):
        return None
    pairs = load_pairs(settings.pairs)
    known = np.isin(pairs.facts.training_ids, slide.require_spots().ids)
    if pairs.facts.slide != slide.name or not known.all():
        raise InputError(
            f"the pairs '{settings.pairs}' were made from slide '{pairs.facts.slide}', not from '{slide.name}'",
            "give pairs of this slide",
        )
    return pairs


def _pairs_learned_from(settings: EvaluateSettings, folder: Path, reporter: Reporter) -> Pairs | None:
    """The pairs a predictor learned from, where they still are."""
    if not _wants_pairs(settings):
        return None
    candidates = sorted(folder.glob("*/pairs")) if settings.rerun else [_pairs_of(path) for path in settings.predictors]
    for candidate in sorted((c for c in candidates if c is not None), key=lambda c: "blocked" not in str(c)):
        try:
            return load_pairs(candidate)
        except InputError as error:
            reporter.message(f"no synthetic patches to look at: {error.message}", "warning")
    return None


def _wants_pairs(settings: EvaluateSettings) -> bool:
    return settings.figures or settings.cells is not None


def _pairs_of(predictor: Path) -> Path | None:
    """The pairs a run of `train` says it learned from."""
    folder = predictor if predictor.is_dir() else predictor.parent
    try:
        synthetic = read_config(folder)["settings"].get("synthetic")
    except (InputError, KeyError):
        return None
    return Path(synthetic) if synthetic and Path(synthetic).exists() else None
