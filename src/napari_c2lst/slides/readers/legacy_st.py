"""Legacy Spatial Transcriptomics: a picture, counts with rows "XxY", and a table of spots with pixel positions.

A folder may hold several sections; the counts file names the section (`MOB1.tsv.gz` -> `MOB1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.images.image_files import is_image_file, open_image
from napari_c2lst.slides.microns import recognise_array

from .reading import (
    Reading,
    Wanted,
    circles_element,
    image_element,
    no_match,
    refuse_duplicates,
    scaling,
    table_element,
    unreadable,
)

SYSTEM = "global"
COUNT_ENDINGS = (".tsv.gz", ".tsv")
# How spot tables are called in public data, with the section's name in place of {}.
SPOT_NAMES = ("{}_selection.tsv", "alignment_table_{}.tsv", "spot_data-selection-{}.tsv", "{}_spots.tsv")


@dataclass(frozen=True)
class Section:
    """The files of one section."""

    name: str
    counts: Path
    spots: Path


def sections_in(folder: Path) -> dict[str, Section]:
    """The sections of a folder by name: counts files that have a spot table beside them."""
    found: dict[str, Section] = {}
    for ending in COUNT_ENDINGS:
        for counts in sorted(folder.glob(f"*{ending}")):
            name = counts.name.removesuffix(ending)
            spots = next((folder / s.format(name) for s in SPOT_NAMES if (folder / s.format(name)).is_file()), None)
            if spots is not None and name not in found:
                found[name] = Section(name, counts, spots)
    return found


def choose_section(path: Path) -> Section:
    """The section a path means: a folder of one section, a counts file, or `folder/section`.

    Raises
    ------
    InputError
        If the folder has several sections, or the counts file no spot table.
    """
    folder = path if path.is_dir() else path.parent
    sections = sections_in(folder)
    if path.is_dir():
        if len(sections) == 1:
            return next(iter(sections.values()))
        names = ", ".join(sorted(sections))
        raise InputError(f"'{path}' holds {len(sections)} sections: {names}", f"open one: {path / min(sections)}")
    for section in sections.values():
        if path == section.counts or path.name == section.name:
            return section
    wanted = ", ".join(s.format(path.name.split(".")[0]) for s in SPOT_NAMES[:2])
    raise InputError(f"the counts '{path}' have no table of spots beside them", f"put one there: {wanted}")


def read_legacy_st(path: Path, wanted: Wanted) -> Reading:
    """Read one section; selected spots that have counts become the spots of the slide."""
    from spatialdata import SpatialData
    from spatialdata.transformations import Identity

    section = choose_section(path)
    with unreadable(section.counts):
        ids, genes, counts = _read_counts(section.counts)
    with unreadable(section.spots):
        spots = _read_spots(section.spots)
    refuse_duplicates(ids, section.counts)
    refuse_duplicates(list(spots.index), section.spots)
    both = [name for name in ids if name in spots.index]
    if not both:
        raise no_match(
            "counts", section.counts, ids[0] if ids else "none", section.spots, next(iter(spots.index), "none")
        )
    place, selected = {name: i for i, name in enumerate(ids)}, len(spots)
    spots = spots.loc[both]
    rc, yx = spots[["y", "x"]].to_numpy(int), spots[["pixel_y", "pixel_x"]].to_numpy()
    if not np.isfinite(yx).all():
        bad = np.flatnonzero(~np.isfinite(yx).all(axis=1))
        raise InputError(
            f"{len(bad)} spots of '{section.spots}' have no pixel position, first '{both[bad[0]]}'",
            "complete the table",
        )
    array = recognise_array(rc, yx)
    image = open_image(wanted.image or _image_of(section))
    radius = array.spot_um / 2 * _pixels_per_um(array, rc, yx) if array else 1.0
    systems = {SYSTEM: Identity()}
    table = table_element(
        counts[[place[name] for name in both]], genes, both, {"array_row": rc[:, 0], "array_col": rc[:, 1]}, "spots"
    )
    sdata = SpatialData(
        images={"image": image_element(image.pyramid.levels, {SYSTEM: scaling(wanted.image_scale)})},
        shapes={"spots": circles_element(yx, radius, np.asarray(both), systems)},
        tables={"table": table},
    )
    facts = SlideFacts(
        kind=f"legacy ST ({array.name if array else 'unknown array'})",
        name=section.name,
        image="image",
        array=array.name if array else None,
        spot_um=array.spot_um if array else None,
        microns_per_unit={SYSTEM: image.mpp * (wanted.image_scale or 1)} if image.mpp else {},
        microns_detail=image.mpp_detail,
    )
    return Reading(sdata, facts, (*_left_out(ids, both, selected), *image.notes), took_image=True)


def _left_out(ids: list[str], both: list[str], selected: int) -> tuple[str, ...]:
    notes = []
    if selected > len(both):
        notes.append(f"selected spots without counts are left out: {selected - len(both)}")
    if len(ids) > len(both):
        notes.append(f"{len(ids) - len(both)} rows of counts are not among the selected spots and are left out")
    return tuple(notes)


def _pixels_per_um(array: Any, rc: Any, yx: Any) -> float:
    from napari_c2lst.slides.microns import fit_microns

    return 1.0 / (fit_microns(array, rc, yx) or 1.0)


def _read_counts(path: Path) -> tuple[list[str], list[str], Any]:
    """Spot names, gene names and the (N, G) sparse counts of a counts file."""
    import pandas as pd
    from scipy.sparse import csr_matrix

    blocks, ids, genes = [], [], []
    # in blocks of rows: the dense table of a large array would take gigabytes
    with pd.read_csv(path, sep="\t", index_col=0, chunksize=256) as reader:
        for block in reader:
            blocks.append(csr_matrix(block.to_numpy(dtype=np.float32)))
            ids += [str(name) for name in block.index]
            genes = [str(name) for name in block.columns]
    from scipy.sparse import vstack

    if not ids:
        raise InputError(f"the counts '{path}' are empty", "copy the file again")
    return ids, genes, vstack(blocks, format="csr")


def _read_spots(path: Path) -> Any:
    """The selected spots of a spot table, indexed "XxY"."""
    import pandas as pd

    frame = pd.read_csv(path, sep="\t")
    missing = [name for name in ("x", "y", "pixel_x", "pixel_y") if name not in frame.columns]
    if missing:
        raise InputError(f"the table of spots '{path}' lacks the columns {', '.join(missing)}", "see docs/slides.md")
    if "selected" in frame.columns:
        frame = frame[frame["selected"].astype(int) == 1]
    frame = frame.astype({"pixel_x": float, "pixel_y": float})
    return frame.set_index(frame["x"].astype(int).astype(str) + "x" + frame["y"].astype(int).astype(str))


def _image_of(section: Section) -> Path:
    """The picture of a section: the one named like it, else the only one in the folder."""
    pictures = sorted(p for p in section.counts.parent.iterdir() if p.is_file() and is_image_file(p))
    named = [p for p in pictures if p.name.split(".")[0] == section.name]
    named = named or [p for p in pictures if section.name.lower() in p.stem.lower()]
    if len(named) == 1:
        return named[0]
    if len(pictures) == 1:
        return pictures[0]
    if not pictures:
        raise InputError(f"section '{section.name}' has no picture in '{section.counts.parent}'", "pass --image FILE")
    names = ", ".join(p.name for p in named or pictures)
    raise InputError(f"several pictures could be of section '{section.name}': {names}", "pass --image FILE")
