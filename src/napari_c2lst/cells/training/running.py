"""`c2lst train-cells`: data, training, weights, scores on the test split."""

from os.path import realpath
from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.cells.density import density_of
from napari_c2lst.cells.facts import CELLS_FILE, CONSEP_TYPES, CellFacts, CellType, Types, default_types, listed
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.network import HoVerNet, output_px
from napari_c2lst.cells.weights import CellModel, load_hovernet, save_hovernet
from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import RunFolder

from .batches import Windows
from .cards import write_card
from .datasets import CellData, find_cell_data, find_test_data
from .fitting import CellFit, count_parameters
from .scoring import score_and_show, score_lines
from .settings import TrainCellsSettings


class TrainCellsResult(TaskResult):
    """A trained HoVer-Net and how well it does."""

    run: Path
    weights: Path
    parameters: int
    megabytes: float
    images: int
    steps: int
    loss: float
    scores: dict[str, float]

    def lines(self) -> list[str]:
        return [
            f"weights: {self.weights} ({self.megabytes:.1f} MB, {self.parameters / 1e6:.2f} M parameters)",
            f"learned from {self.images} images in {self.steps} steps, loss {self.loss:.3f} (mean of the last 100)",
            *score_lines(self.scores),
            f"use them with: c2lst cells SLIDE --weights {self.run}",
        ]


def run(settings: TrainCellsSettings, reporter: Reporter) -> TrainCellsResult:
    """Train a HoVer-Net and score it.

    Raises
    ------
    InputError
        If the images cannot be used, types and names do not fit, or the run folder is taken.
    Stopped
        If asked to stop, after a checkpoint.
    """
    _check_input_size(settings)
    data, test = _data(settings)
    types = _types(settings, data)
    start = _start(settings)
    folder = RunFolder.open(settings, reporter, kind="train-cells", basis=data.basis())
    done = folder.finished_result()
    if done is not None:
        reporter.message(f"'{folder.path}' is finished already")
        return TrainCellsResult.model_validate(done)
    if settings.weights is None and settings.epochs[0]:
        folder.reporter.message("no weights to start from: the encoder learns in the first phase too")
    if start is not None and start.facts.notice:
        folder.reporter.message(start.facts.notice)
    fit = CellFit(Windows(data, settings), len(types) or None, settings, folder, start.net if start else None)
    net = fit.train()
    # terms of the weights it starts from hold for what is made of them
    result = _finish(net, fit, types, data, test, settings.licence or (start.facts.licence if start else ""))
    folder.finish(result)
    return result


def _check_input_size(settings: TrainCellsSettings) -> None:
    try:
        output_px(settings.mode, settings.input_px)
    except ValueError as error:
        raise InputError(f"--patch-px {settings.input_px} does not fit: {error}", "leave it out") from None


def _data(settings: TrainCellsSettings) -> tuple[CellData, CellData]:
    """What to learn from, and what to score on (may be empty)."""
    data = find_cell_data(settings.data, "train", settings.merge)
    if not len(data):
        raise InputError(
            f"there is no image to learn from in {', '.join(map(str, settings.data))}",
            "they need a training split, or images without splits",
        )
    test = (
        find_test_data(settings.test, settings.merge)
        if settings.test
        else find_cell_data(settings.data, "test", settings.merge)
    )
    # one image under two names of its folder is one
    same = {realpath(item.name) for item in data.items} & {realpath(item.name) for item in test.items}
    if same:
        raise InputError(
            f"{len(same)} images are both learned from and scored on: {listed(sorted(same))}", "check --test"
        )
    return data, test


def _types(settings: TrainCellsSettings, data: CellData) -> Types:
    """Names and colours of the types, background first; empty without types."""
    largest = data.count_types()
    if largest is None:
        if settings.types:
            raise InputError(f"types {', '.join(settings.types)} are named, the data have none", "leave out --types")
        return ()
    if largest == 0:
        raise InputError("no nucleus has a type: all are 0", "look at the type maps and at --merge, or leave them out")
    if not settings.types:
        return default_types(largest + 1)
    if largest > len(settings.types):
        raise InputError(
            f"the data have types up to {largest}, --types names {len(settings.types)}",
            "name all of them in order, or put some together with --merge",
        )
    background, *spare = default_types(max(len(settings.types) + 1, 2))
    known = {t.name: t for t in CONSEP_TYPES}
    named = (known.get(n, CellType(name=n, colour=s.colour)) for n, s in zip(settings.types, spare, strict=True))
    return (background, *named)


def _start(settings: TrainCellsSettings) -> CellModel | None:
    if settings.weights is None:
        return None
    model = load_hovernet(
        settings.weights,
        mode=settings.mode,
        allow_download=settings.allow_download,
        accept_licence=settings.accept_licence,
    )
    width = model.net.width
    if not np.isclose(width, settings.width):
        raise MismatchError(
            f"the weights '{settings.weights}' have width {width:g}, not {settings.width:g}", f"use --width {width:g}"
        )
    return model


def _finish(
    net: HoVerNet, fit: CellFit, types: Types, data: CellData, test: CellData, licence: str
) -> TrainCellsResult:
    """Score the network and write it with what is known of it."""
    folder, loss = fit.folder, round(float(np.mean(fit.losses)), 4)
    facts = _facts(fit, types, licence, {"images": len(data), "steps": fit.steps, "loss": loss})
    facts = facts.model_copy(update={"density": density_of(data[i].image for i in range(len(data)))})
    ready = NucleusNet(CellModel(net, facts, ""), str(fit.device), fit.settings.precision)
    scores = score_and_show(ready, test, folder.path / "overlays", folder.reporter, types)
    facts = facts.model_copy(update={"card": facts.card | {"scores": scores}})
    file = save_hovernet(net, facts, folder.path / CELLS_FILE, half=fit.settings.half)
    write_card(facts, count_parameters(net), folder.path)
    return TrainCellsResult(
        run=folder.path,
        weights=file,
        parameters=count_parameters(net),
        megabytes=round(file.stat().st_size / 1e6, 2),
        images=len(data),
        steps=fit.steps,
        loss=loss,
        scores=scores,
    )


def _facts(fit: CellFit, types: Types, licence: str, card: dict[str, Any]) -> CellFacts:
    s = fit.settings
    card |= {"data": s.data_note, "batch": fit.phases[-1].batch}
    card |= {"degraded_share": s.degraded_share, "degraded_mpp": s.degraded_mpp}
    return CellFacts(
        mode=s.mode,
        nr_types=len(types) or None,
        width=s.width,
        mpp=s.mpp,
        types=types,
        name=s.name,
        licence=licence,
        notice=f"the weights '{s.name}': {licence}" if licence else "",
        card=card,
    )
