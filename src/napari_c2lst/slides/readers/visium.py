"""Space Ranger output of Visium (v1, v2, CytAssist), read by spatialdata-io."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.microns import VISIUM

from .reading import Reading, Wanted, element_name, no_match, unreadable
from .tenx import CountsFile, find_counts

POSITION_NAMES = ("tissue_positions.csv", "tissue_positions_list.csv")
COLUMNS = ["barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"]
_SCALES = ("tissue_hires_scalef", "tissue_lowres_scalef")


def visium_folder(path: Path) -> Path | None:
    """The folder that holds `spatial/` with spot positions: the path itself or its `outs`; None when there is none."""
    for folder in (path, path / "outs"):
        if any((folder / "spatial" / name).is_file() for name in POSITION_NAMES):
            return folder
    return None


def sample_name(folder: Path) -> str:
    """The name of a sample: that of the folder, or of the one above when it is called `outs`."""
    folder = folder.absolute()
    return folder.parent.name if folder.name == "outs" else folder.name


def read_visium(path: Path, wanted: Wanted) -> Reading:
    """Read a Space Ranger folder; without a full-resolution image the picture Space Ranger made is used."""
    from spatialdata_io import visium

    folder = visium_folder(path)
    assert folder is not None
    counts = find_counts(folder)
    name = sample_name(folder)
    _refuse_mismatch(folder, counts)
    file = counts.relative_to(folder) if counts.is_file() else counts.relative_to(folder) / "matrix.mtx.gz"
    with unreadable(counts):
        sdata = visium(folder, dataset_id=element_name(name), counts_file=str(file))
    scales = read_scales(folder / "spatial")
    table = sdata.tables["table"]
    table.uns.pop("spatial", None)
    notes = []
    if not sdata.images and wanted.image is None:
        raise InputError(
            f"'{folder}' has neither tissue_hires_image.png nor tissue_lowres_image.png", "pass --image FILE"
        )
    if wanted.image is None:
        notes.append(f"no full-resolution image: '{_finest(sdata)}' is used; pass --image FILE for the real one")
    kind = "Visium CytAssist (Space Ranger)" if "regist_target_img_scalef" in scales else "Visium (Space Ranger)"
    facts = SlideFacts(kind=kind, name=name, array=VISIUM.name, spot_um=VISIUM.spot_um)
    return Reading(sdata, facts, tuple(notes))


def read_scales(spatial: Path) -> dict[str, float]:
    """The scale factors of a Space Ranger `spatial` folder."""
    file = spatial / "scalefactors_json.json"
    with unreadable(file):
        scales: dict[str, float] = json.loads(file.read_text())
    missing = [key for key in _SCALES if key not in scales]
    if missing:
        raise InputError(f"'{file}' lacks {', '.join(missing)}", "copy the file again")
    sizes = {key: scales[key] for key in (*_SCALES, "microns_per_pixel") if key in scales}
    if wrong := [f"{key} = {size}" for key, size in sizes.items() if not (isinstance(size, int | float) and size > 0)]:
        raise InputError(f"'{file}' has a size that cannot be: {', '.join(wrong)}", "copy the file again")
    return scales


def read_positions(file: Path) -> Any:
    """Spot positions by barcode, with or without a header, csv or parquet."""
    import pandas as pd

    with unreadable(file):
        if file.suffix == ".parquet":
            frame = pd.read_parquet(file)
        else:
            with file.open() as lines:
                header = 0 if lines.readline().startswith("barcode") else None
            frame = pd.read_csv(file, header=header, names=COLUMNS if header is None else None)
        missing = [column for column in COLUMNS if column not in frame.columns]
        if missing:
            raise InputError(f"'{file}' lacks the columns {', '.join(missing)}", "copy the file again")
        return frame.set_index("barcode")


def _refuse_mismatch(folder: Path, counts: Path) -> None:
    """Raise an InputError if barcodes of the counts have no position (spatialdata-io would place them nowhere)."""
    file = next(folder / "spatial" / n for n in POSITION_NAMES if (folder / "spatial" / n).is_file())
    positions = read_positions(file)
    with unreadable(counts):
        barcodes = CountsFile(counts).barcodes
    lost = [barcode for barcode in barcodes if barcode not in positions.index]
    if lost and len(lost) == len(barcodes):
        raise no_match("counts", counts, barcodes[0], file, str(positions.index[0]))
    if lost:
        raise InputError(
            f"{len(lost)} of {len(barcodes)} barcodes of '{counts}' have no position in '{file}', first '{lost[0]}'",
            "check that both belong to the same sample",
        )


def _finest(sdata: Any) -> str:
    which = "hires" if any(name.endswith("_hires_image") for name in sdata.images) else "lowres"
    return f"tissue_{which}_image.png"
