"""`c2lst convert`: any slide as a SpatialData store."""

from __future__ import annotations

from pathlib import Path

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import left_behind
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.settings import ConvertSettings

from .storing import write_store


class ConvertResult(TaskResult):
    """Where the store is and what is in it."""

    store: Path
    kind: str
    height: int
    width: int
    mpp: float | None
    spots: int | None
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What to tell the user."""
        spots = "no spots" if self.spots is None else f"{self.spots} spots"
        size = "microns per pixel not known" if self.mpp is None else f"{self.mpp:.4g} um per pixel"
        return [*self.notes, f"wrote {self.store}: {self.height} x {self.width} px, {size}, {spots}"]


def run(settings: ConvertSettings, reporter: Reporter) -> ConvertResult:
    """Convert a slide.

    Raises
    ------
    InputError
        If the slide cannot be opened (see `open_slide`), `out` is there already or does not end in .zarr, or the disk
        is full.
    """
    refuse_target(settings.out, settings.slide)
    for left in left_behind(settings.out):
        reporter.message(
            f"'{left}' is of a conversion that was killed, or still runs: remove it if none does", "warning"
        )
    slide = open_slide(settings.slide, **settings.opening)
    write_store(slide, settings.out, reporter, source=str(settings.slide.absolute()))
    height, width = slide.pyramid.shape
    return ConvertResult(
        store=settings.out,
        kind=slide.kind,
        height=height,
        width=width,
        mpp=None if slide.microns is None else slide.microns.value,
        spots=None if slide.spots is None else len(slide.spots),
        notes=slide.notes,
    )


def refuse_target(out: Path, source: Path) -> None:
    """Raise an InputError if a store cannot be written there; before any work."""
    if out.suffix != ".zarr":
        raise InputError(f"'{out}' does not end in .zarr", f"call it {out}.zarr")
    if out.exists():
        raise InputError(f"'{out}' is there already", "choose another name, or move it away")
    if source.is_dir() and source.absolute() in out.absolute().parents and source.suffix == ".zarr":
        raise InputError(f"'{out}' lies inside the store it is made from", "choose a place outside")
