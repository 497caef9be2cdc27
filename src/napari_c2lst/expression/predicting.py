"""The task `predict`: gene expression at spots and over the whole tissue, streamed, written into the slide's store."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from napari_c2lst.common.errors import InputError, Stopped, raise_all
from napari_c2lst.common.files import atomic_file, content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.slides.naming import result_name, safe_name
from napari_c2lst.slides.patches.cutting import PatchSpec, coarseness_note, iter_spot_patches, stain_of
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.stain.normalizer import StainNormalizer
from napari_c2lst.slides.store.stored import open_stored

from .ahead import made_ahead
from .grid import Grid, grid_shapes, tissue_grid
from .partial import PartialRows
from .predictor import Predictor, find_predictor, load_predictor
from .rasters import raster
from .settings import PredictSettings
from .tables import GRID, RASTER, SPOTS, Rows, Written, grid_table, spots_table, write_csv

# A GPU matches stains faster than the threads that read for it; on a CPU arrays are faster than tensors, and Apple's
# GPUs lack double precision.
_STAINING_DEVICES = frozenset({"cuda"})


class PredictResult(TaskResult):
    """What `predict` wrote."""

    store: Path
    elements: tuple[str, ...]
    n_spots: int
    n_grid: int
    genes: int
    csv: tuple[Path, ...]
    seconds: float

    def lines(self) -> list[str]:
        """What to tell the user at the end."""
        counts = [(self.n_spots, "spots"), (self.n_grid, "grid positions")]
        where = " and ".join(f"{n} {what}" for n, what in counts if n)
        return [
            f"predicted {self.genes} genes at {where} in {self.seconds:.0f} s",
            f"written into {self.store}: {', '.join(self.elements)}",
            *(f"written: {file}" for file in self.csv),
        ]


def run(settings: PredictSettings, reporter: Reporter) -> PredictResult:
    """Predict and write the result into the slide's store, in one go at the end.

    Raises
    ------
    InputError
        If slide, predictor or names cannot be used; before any work.
    Stopped
        If the reporter asked for it; the slide is as it was then, and the same settings go on from there.
    """
    begin = time.monotonic()
    predictor = load_predictor(settings.predictor, device=settings.device, precision=settings.precision)
    file = find_predictor(settings.predictor)
    name = result_name(settings.name, file.parent.resolve().name)
    _check(settings, predictor)
    slide = open_stored(settings, reporter, spots=settings.where != "grid")
    if (note := coarseness_note(slide, predictor.spec)) is not None:
        reporter.message(note, "warning")
    written = Written.of(name, file, predictor, slide, tta=settings.tta)
    job = PredictJob(settings, predictor, slide, reporter, written)
    elements, csv = job.run()
    return PredictResult(
        store=slide.path,
        elements=tuple(elements.names()),
        n_spots=elements.n_spots,
        n_grid=elements.n_grid,
        genes=len(predictor.panel),
        csv=tuple(csv),
        seconds=time.monotonic() - begin,
    )


class _Elements(BaseModel):
    """What is to be written."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tables: dict[str, Any] = {}
    shapes: dict[str, Any] = {}
    images: dict[str, Any] = {}
    n_spots: int = 0
    n_grid: int = 0

    def names(self) -> list[str]:
        return [*self.tables, *self.shapes, *self.images]


class PredictJob:
    """One run of `predict`."""

    def __init__(
        self, settings: PredictSettings, predictor: Predictor, slide: Slide, reporter: Reporter, written: Written
    ) -> None:
        self.settings, self.predictor, self.slide = settings, predictor, slide
        self.reporter, self.written = reporter, written

    def run(self) -> tuple[_Elements, list[Path]]:
        """Predict, then write all there is."""
        from napari_c2lst.slides.store.results import write_elements

        where = self.settings.where
        # both are looked for before either is predicted: what is missing is said at once
        chosen = self._chosen_spots() if where != "grid" else None
        grid = (
            tissue_grid(self.slide, self.settings.stride_um, self.predictor.spec.patch_um) if where != "spots" else None
        )
        elements = _Elements()
        with ExitStack() as files:
            if chosen is not None:
                self._spots(chosen, elements, files)
            if grid is not None:
                self._grid(grid, elements, files)
            write_elements(self.slide, tables=elements.tables, shapes=elements.shapes, images=elements.images)
            return elements, self._csv(elements)

    def _chosen_spots(self) -> NDArray[np.bool_]:
        known = self.predictor.knows(self.slide)
        if self.settings.spots == "all":
            return np.ones_like(known)
        if known.all():
            raise InputError(
                f"the predictor was trained on all {len(known)} spots of slide '{self.slide.name}': none is held out",
                "pass --spots all, or --where grid",
            )
        return ~known

    def _spots(self, chosen: NDArray[np.bool_], elements: _Elements, files: ExitStack) -> None:
        rows = files.enter_context(self._predicted(self.slide.require_spots().yx[chosen], "spots"))
        known = self.predictor.knows(self.slide)
        elements.tables[SPOTS + self.written.name] = spots_table(self.slide, chosen, rows, self.written, known)
        elements.n_spots = int(chosen.sum())

    def _grid(self, grid: Grid, elements: _Elements, files: ExitStack) -> None:
        rows = files.enter_context(self._predicted(grid.yx, "grid positions"))
        region = GRID + self.written.name
        elements.shapes[region] = grid_shapes(self.slide, grid)
        elements.tables[f"{region}_table"] = grid_table(region, grid, rows, self.written)
        genes = list(self.predictor.panel.genes)
        for gene in self.settings.rasters:
            image = raster(self.slide, grid, rows.mean.column(genes.index(gene)), gene)
            elements.images[f"{RASTER}{self.written.name}_{safe_name(gene)}"] = image
        elements.n_grid = len(grid)

    @contextmanager
    def _predicted(self, yx: NDArray[np.float64], what: str) -> Iterator[Rows]:
        """Predict at positions (n, 2); the rows wait on disk until they are written, also over a stop."""
        part = self._partial(yx, what)
        try:
            self.fill(part, yx, what)
            yield Rows(mean=part.mean, spread=part.spread)
        except (Stopped, KeyboardInterrupt):
            part.keep()
            part.close()
            raise
        except BaseException:
            part.discard()
            raise
        part.discard()

    def _partial(self, yx: NDArray[np.float64], what: str) -> PartialRows:
        store, kind = self.slide.path, what.split()[0]
        basis = {
            "predictor": self.predictor.content_hash,
            "positions": content_hash([np.ascontiguousarray(yx).tobytes()]),
            "mpp": self.slide.mpp,
            "tta": self.settings.tta,
        }
        return PartialRows(
            store.with_name(f".{store.name}.{self.written.name}.{kind}.part"),
            basis,
            (len(yx), len(self.predictor.panel)),
            spread=self.settings.tta,
            resume=self.settings.resume == "auto",
        )

    def fill(self, part: PartialRows, yx: NDArray[np.float64], what: str) -> None:
        """Predict the rows that are not there yet."""
        todo = part.todo
        done = len(yx) - len(todo)
        if done:
            self.reporter.going_on(f"after {done} of {len(yx)} {what}")
        spec, stained = self.predictor.spec, self._stained()
        if stained is not None:
            spec = spec.model_copy(update={"stain": None})
        # the next patches are read, and on a CPU their stain is matched, while the network looks at these
        with made_ahead(self._patches(yx[todo], spec)) as batches:
            for index, patches in batches:
                if self.reporter.stop_requested():
                    raise Stopped(
                        f"prediction was stopped after {done} of {len(yx)} {what}",
                        "the slide is as it was; the same command goes on from here",
                    )
                values = self.predictor.predict_with_spread(
                    patches, self.settings.batch, tta=self.settings.tta, stained=stained, reporter=self.reporter
                )
                part.write(todo[index], *values)
                done += len(index)
                self.reporter.progress(done, len(yx), what)

    def _stained(self) -> Callable[[Tensor], Tensor] | None:
        """Matches the stain where the network is; None where that is done as patches are read."""
        spec = self.predictor.spec
        if spec.stain is None or self.predictor.device.type not in _STAINING_DEVICES:
            return None
        stain = stain_of(self.slide, spec, workers=self.settings.workers)
        return partial(stain.normalise, normalizer=StainNormalizer.from_reference(spec.stain))

    def _patches(
        self, yx: NDArray[np.float64], spec: PatchSpec
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        s = self.settings
        return iter_spot_patches(self.slide, yx, spec, batch=s.batch, workers=s.workers)

    def _csv(self, elements: _Elements) -> list[Path]:
        if self.settings.csv is None:
            return []
        targets = csv_files(self.settings.csv, self.settings.where)
        for target, table in zip(targets, elements.tables.values(), strict=True):
            with atomic_file(target) as file:
                write_csv(file, table)
        return targets


def csv_files(path: Path, where: str) -> list[Path]:
    """The CSV files of a prediction: the one named, and one beside it where spots and grid are predicted."""
    return [path] if where != "both" else [path, path.with_name(f"{path.stem}_grid{path.suffix}")]


def _check(settings: PredictSettings, predictor: Predictor) -> None:
    problems = []
    missing = [gene for gene in settings.rasters if gene not in predictor.panel.genes]
    if missing:
        first = ", ".join(predictor.panel.genes[:5])
        problems.append(
            InputError(
                f"the predictor does not know {', '.join(missing)}",
                f"it knows {len(predictor.panel)} genes: {first}, ...",
            )
        )
    if settings.csv is not None and settings.csv.is_dir():
        problems.append(InputError(f"'{settings.csv}' is a folder", "name a file for --csv"))
    raise_all(problems)
