"""The task `cells`: every nucleus of a slide with its type, streamed tile by tile, written into the slide's store."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.files import content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.slides.facts import CELLS, CELLS_TABLE, COMPOSITION
from napari_c2lst.slides.images.tissue import TissueMask
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store.in_parts import InParts
from napari_c2lst.slides.store.results import refuse_names, write_elements
from napari_c2lst.slides.store.stored import open_stored

from .composition import composition_table, count_types, spot_of_cells
from .density import chosen_factors, slide_factors
from .elements import cell_shapes, cell_table, cells_uns, type_column
from .facts import PANNUKE, Density
from .found import Found
from .geojson import write_geojson
from .inference import NucleusNet
from .joining import on_tissue, polygons, stitched
from .naming import cells_name
from .partial import PartialCells
from .settings import CellsSettings
from .spreading import Done, Group, RemoteWork, here, on_cluster
from .tiling import Tiling, cost_note, tissue_tiling
from .weights import CellModel, find_weights, load_hovernet


class CellsResult(TaskResult):
    """What `cells` wrote."""

    store: Path
    elements: tuple[str, ...]
    nuclei: int
    types: dict[str, int]
    tiles: int
    bad_tiles: int
    first_fault: str = ""
    geojson: Path | None = None
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 where tiles were left out, although there is a result."""
        return 1 if self.bad_tiles else 0

    @property
    def what_is_missing(self) -> str:
        """'2 of 40 tiles could not be read and have no nuclei; the first: ...'."""
        return (
            f"{self.bad_tiles} of {self.tiles} tiles could not be read and have no nuclei; the first: "
            f"{self.first_fault}"
        )

    def lines(self) -> list[str]:
        """What to tell the user at the end."""
        types = ", ".join(f"{n} {name}" for name, n in self.types.items())
        return [
            f"found {self.nuclei} nuclei on {self.tiles} tiles in {self.seconds:.0f} s: {types}",
            f"written into {self.store}: {', '.join(self.elements)}",
            *([f"written: {self.geojson}"] if self.geojson else []),
            *([self.what_is_missing] if self.bad_tiles else []),
        ]


def run(settings: CellsSettings, reporter: Reporter) -> TaskResult:
    """Find the nuclei of a slide, or of synthetic patches.

    Raises
    ------
    InputError
        If slide, weights or names cannot be used, before any work; or if not one tile can be read.
    Stopped
        If the reporter asked for it; the slide is as it was then, and the same settings go on from there.
    """
    from .synthetic import is_pairs, run_on_pairs

    model = load_hovernet(
        settings.weights,
        type_info=settings.type_info,
        allow_download=settings.allow_download,
        accept_licence=settings.accept_licence,
    )
    name = cells_name(settings.name, settings.weights)
    if model.facts.notice:
        reporter.message(model.facts.notice, "warning" if settings.weights == PANNUKE else "info")
    if is_pairs(settings.slide):
        return run_on_pairs(settings, model, name, reporter)
    slide = open_stored(settings, reporter)
    return _Job(settings, model, name, slide, reporter).run()


@dataclass(frozen=True, eq=False)
class _Job:
    """One run of `cells` on a slide."""

    settings: CellsSettings
    model: CellModel
    name: str
    slide: Slide
    reporter: Reporter

    def run(self) -> CellsResult:
        begin = time.monotonic()
        facts, region = self.model.facts, CELLS + self.name
        refuse_names(self.slide, {"shapes": [region], "tables": [region + CELLS_TABLE, COMPOSITION + self.name]})
        tiling, tissue = tissue_tiling(self.slide, facts.mode, facts.mpp, self.settings.tile_px)
        note, warn = cost_note(self.slide, facts.mpp, len(tiling))
        self.reporter.message(note, "warning" if warn else "info")
        density = chosen_factors(self.settings.density, lambda: slide_factors(self.slide, facts, tissue), self.reporter)
        groups = tiling.groups(self.settings.batch)
        part = self._partial(tiling, len(groups), density)
        self._fill(part, tiling, groups, density)
        bad = part.bad()
        if len(bad) == len(tiling):
            part.discard()  # once the image is mended they are to be read again
            raise InputError(
                f"none of the {len(tiling)} tiles could be read; the first: {bad[0][1]}", "check the image"
            )
        result = self._write(part.read(), tissue, tiling, bad, begin)
        part.discard()
        return result

    def _partial(self, tiling: Tiling, groups: int, density: Density) -> PartialCells:
        store, s = self.slide.path, self.settings
        basis = {
            "weights": self.model.content_hash,
            "tiles": content_hash([np.ascontiguousarray(tiling.origin).tobytes()]),
            "core": tiling.core,
            "batch": s.batch,
            "mpp": self.slide.mpp,
            "image": self.slide.image_name,
            "precision": s.precision,
            "density": list(density),
        }
        folder = store.with_name(f".{store.name}.{self.name}.cells.part")
        return PartialCells(folder, basis, groups, resume=s.resume == "auto")

    def _fill(self, part: PartialCells, tiling: Tiling, groups: Sequence[NDArray[np.int64]], density: Density) -> None:
        """Do the groups that are not there yet, and the tiles that could not be read before a stop."""
        again = part.bad_groups
        todo = {number: groups[number] for number in part.todo} | again
        done = len(tiling) - sum(map(len, todo.values()))
        if done:
            self.reporter.going_on(f"after {done} of {len(tiling)} tiles")
        if again:
            self.reporter.message(f"tiles that could not be read, now tried again: {sum(map(len, again.values()))}")
        work = self._work(tiling, sorted(todo.items()), density) if todo else iter(())
        for number, found, bad in work:
            (part.mend if number in again else part.write)(number, found, bad)
            done += len(todo[number])
            self.reporter.progress(done, len(tiling), "tiles")
            if self.reporter.stop_requested() and done < len(tiling):
                raise Stopped(
                    f"the search was stopped after {done} of {len(tiling)} tiles",
                    "the slide is as it was; the same command goes on from here",
                )

    def _work(self, tiling: Tiling, todo: Sequence[Group], density: Density) -> Iterator[Done]:
        s = self.settings
        if s.scheduler is None:
            net = NucleusNet(self.model, s.device, s.precision, s.batch, density)
            return here(net, self.slide, tiling, todo, s.workers, self.reporter)
        remote = RemoteWork(
            store=str(self.slide.path.absolute()),
            image_name=self.slide.image_name,
            mpp=self.slide.mpp,
            weights=str(find_weights(s.weights, allow_download=True, accept_licence=True).absolute()),
            weights_hash=self.model.content_hash,
            device=s.device,
            precision=s.precision,
            batch=s.batch,
            density=density,
        )
        return on_cluster(s.scheduler, remote, tiling, todo)

    def _write(
        self, found: Found, tissue: TissueMask, tiling: Tiling, bad: Sequence[tuple[int, str]], begin: float
    ) -> CellsResult:
        """Join the tiles and write all there is, in one go."""
        facts = self.model.facts
        found = stitched(on_tissue(found, tissue, tiling.px))
        if len(found) == 0:
            raise InputError(
                f"no nuclei were found on {len(tiling)} tiles of slide '{self.slide.name}'",
                "are these the right weights, and is --mpp right?",
            )
        region = CELLS + self.name
        uns = cells_uns(
            "cells", self.name, facts, self.model.content_hash, self.slide.mpp, tiles=len(tiling), bad_tiles=len(bad)
        )
        tables: dict[str, Any] = {
            region + CELLS_TABLE: InParts(
                len(found), lambda a, b: cell_table(region, found.part(a, b), facts, tiling.px, dict(uns), a)
            )
        }
        kind = type_column(found, facts)
        composition = self._composition(found, kind, tiling.px)
        if composition is not None:
            tables[COMPOSITION + self.name] = composition
        shapes = {
            region: InParts(len(found), lambda a, b: cell_shapes(self.slide, polygons(found.part(a, b), tiling.px), a))
        }
        write_elements(self.slide, tables=tables, shapes=shapes)
        if self.settings.geojson is not None:
            write_geojson(self.settings.geojson, found, tiling.px, facts, facts.mpp**2)
        counts = np.bincount(kind[kind >= 0], minlength=len(facts.type_names))
        return CellsResult(
            store=self.slide.path,
            elements=(*shapes, *tables),
            nuclei=len(found),
            types=dict(zip(facts.type_names, counts.tolist(), strict=True)),
            tiles=len(tiling),
            bad_tiles=len(bad),
            first_fault=bad[0][1] if bad else "",
            geojson=self.settings.geojson,
            seconds=time.monotonic() - begin,
        )

    def _composition(self, found: Found, kind: NDArray[np.int64], px: float) -> Any:
        """The table of spots, or None for a slide without spots."""
        if self.slide.spots is None:
            return None
        facts = self.model.facts
        try:
            spot = spot_of_cells(self.slide, (found.centroid + 0.5) * px)
        except InputError as error:  # no reason to lose the nuclei
            self.reporter.message(str(error), "warning")
            return None
        counts = count_types(spot, kind, len(self.slide.spots), len(facts.type_names))
        uns = cells_uns(
            "composition", self.name, facts, self.model.content_hash, self.slide.mpp, cells=CELLS + self.name
        )
        return composition_table(self.slide, counts, facts.type_names, uns)
