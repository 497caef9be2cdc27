"""HEST-1k samples: `st/{id}.h5ad`, `wsis/{id}.tif`, `metadata/{id}.json`.

Any other h5ad with `obsm['spatial']` opens the same way when its image is given.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.images.image_files import open_image
from napari_c2lst.slides.microns import recognise_array

from .reading import (
    Reading,
    Wanted,
    circles_element,
    image_element,
    refuse_duplicates,
    scaling,
    table_element,
    unreadable,
)
from .spots_of_table import array_rc

SYSTEM = "global"


def hest_samples(folder: Path) -> list[str]:
    """Ids of the samples of a HEST-1k folder."""
    return sorted(p.stem for p in (folder / "st").glob("*.h5ad"))


def choose_sample(path: Path) -> Path:
    """The h5ad a path means: the file itself, or the only sample of a HEST-1k folder.

    Raises
    ------
    InputError
        If the folder holds several samples.
    """
    if path.is_file():
        return path
    samples = hest_samples(path)
    if len(samples) == 1:
        return path / "st" / f"{samples[0]}.h5ad"
    shown = ", ".join(samples[:10]) + (", ..." if len(samples) > 10 else "")
    raise InputError(f"'{path}' holds {len(samples)} samples: {shown}", f"open one: {path / 'st' / samples[0]}.h5ad")


def read_hest(path: Path, wanted: Wanted) -> Reading:
    """Read a sample; `obsm['spatial']` holds spot centres (x, y) in level-0 pixels."""
    from spatialdata import SpatialData
    from spatialdata.transformations import Identity

    file = choose_sample(path)
    with unreadable(file):
        from anndata import read_h5ad

        adata = read_h5ad(file)
    xy = _positions(adata, file)
    image = open_image(wanted.image or _image_of(file))
    ids = [str(name) for name in adata.obs_names]
    refuse_duplicates(ids, file)
    obs = {name: adata.obs[name].to_numpy() for name in ("in_tissue", "array_row", "array_col") if name in adata.obs}
    rc = array_rc(adata.obs)
    array = None if rc is None else recognise_array(rc, xy[:, ::-1])
    counts = adata.layers.get("counts", adata.X)
    radius, systems = _radius(adata), {SYSTEM: Identity()}
    sdata = SpatialData(
        images={"image": image_element(image.pyramid.levels, {SYSTEM: scaling(wanted.image_scale)})},
        shapes={"spots": circles_element(xy[:, ::-1], radius, np.asarray(ids), systems)},
        tables={"table": table_element(counts, [str(g) for g in adata.var_names], ids, obs, "spots")},
    )
    metadata = file.parent.parent / "metadata" / f"{file.stem}.json"
    mpp = _estimated_microns(metadata) if metadata.is_file() else None
    facts = SlideFacts(
        kind="HEST-1k sample" if metadata.is_file() else "h5ad with an image",
        name=file.stem,
        image="image",
        array=array.name if array else None,
        spot_um=array.spot_um if array else None,
        microns_per_unit={SYSTEM: mpp} if mpp else {},
        microns_detail="pixel_size_um_estimated of the HEST metadata" if mpp else "",
    )
    return Reading(sdata, facts, image.notes, took_image=True)


def _positions(adata: Any, file: Path) -> Any:
    if "spatial" not in adata.obsm:
        raise InputError(
            f"'{file}' has no obsm['spatial']: where its spots lie is not known",
            "store the spot centres there, (x, y) in pixels of the full-resolution image",
        )
    if adata.n_obs == 0:
        raise InputError(f"'{file}' has no spots", "copy it again, or open the image alone")
    xy = np.asarray(adata.obsm["spatial"], dtype=float)[:, :2]
    if not np.isfinite(xy).all():
        bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
        raise InputError(
            f"{len(bad)} spots of '{file}' have no position, first '{adata.obs_names[bad[0]]}'", "complete it"
        )
    return xy


def _radius(adata: Any) -> float:
    """Radius for drawing the spots, in pixels; never used to find microns."""
    for sample in dict(adata.uns.get("spatial", {})).values():
        diameter = dict(sample).get("scalefactors", {}).get("spot_diameter_fullres")
        if diameter:
            return float(diameter) / 2
    return 50.0


def _image_of(file: Path) -> Path:
    for ending in (".tif", ".tiff", ".svs"):
        image = file.parent.parent / "wsis" / f"{file.stem}{ending}"
        if image.is_file():
            return image
    raise InputError(f"'{file}' has no image beside it (HEST-1k: wsis/{file.stem}.tif)", "pass --image FILE")


def _estimated_microns(metadata: Path) -> float | None:
    """`pixel_size_um_estimated`; never `_embedded`, which is missing or wrong in many samples."""
    with unreadable(metadata):
        value = json.loads(metadata.read_text()).get("pixel_size_um_estimated")
    return float(value) if value and 0 < float(value) < np.inf else None
