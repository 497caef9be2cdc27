"""Named sets of spots, kept in the SpatialData: which spots train, which are held out, which count for neither."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, MismatchError, raise_all

PREFIX = "c2lst_set_"
"""Tables of a store that begin so are spot sets."""

_FORMAT = 1
_ROLES = ("selected", "held out", "left out")

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SpotSet:
    """A named choice of spots of one slide.

    Attributes
    ----------
    name
        Letters, digits, `_` and `-`.
    ids
        Ids of the chosen spots, `slide.spots.ids[mask]`.
    mask
        (N,) the chosen spots, aligned to `slide.spots.ids`.
    how
        How they were chosen, JSON-able: `{"fraction": 0.25, "seed": 0, "split": "random"}`.
    left_out
        (N,) spots that are neither chosen nor scored: low spots, the buffer of a blocked split.
    """

    name: str
    ids: NDArray[np.str_]
    mask: Mask
    how: dict[str, Any] = field(default_factory=dict)
    left_out: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        if self.left_out.size == 0:
            object.__setattr__(self, "left_out", np.zeros(len(self.mask), dtype=bool))
        assert self.mask.shape == self.left_out.shape
        assert not (self.mask & self.left_out).any()
        assert len(self.ids) == int(self.mask.sum())

    @classmethod
    def of(
        cls, name: str, spot_ids: NDArray[np.str_], mask: Mask, how: dict[str, Any], left_out: Mask | None = None
    ) -> SpotSet:
        """A set from all spot ids of a slide and a mask over them."""
        mask = np.asarray(mask, dtype=bool)
        empty = np.zeros(len(mask), dtype=bool)
        return cls(name, np.asarray(spot_ids)[mask], mask, dict(how), empty if left_out is None else left_out)

    @property
    def held_out(self) -> Mask:
        """(N,) the spots a model trained on this set is scored on: neither chosen nor left out."""
        return ~self.mask & ~self.left_out

    def same_as(self, other: SpotSet) -> bool:
        """Whether both choose and leave out the same spots in the same way."""
        return (
            (self.name, self.how) == (other.name, other.how)
            and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.mask, other.mask)
            and np.array_equal(self.left_out, other.left_out)
        )


def checked_name(name: str) -> str:
    """The name, if it can be one.

    Raises
    ------
    InputError
        If it is empty, too long or has other characters than letters, digits, `_` and `-`.
    """
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        return name
    raise InputError(f"{name!r} cannot be the name of a spot set", "use up to 64 letters, digits, _ and -")


def list_spot_sets(slide: Any) -> list[SpotSet]:
    """Every spot set stored with a slide, by name; none when the slide is no SpatialData."""
    return [read_spot_set(slide, name) for name in spot_set_names(slide)]


def set_of_training(slide: Any, training: Mask) -> SpotSet | None:
    """The stored set that chooses exactly these spots, (N,); of several, the one that leaves out the most.

    Raises
    ------
    MismatchError
        If a stored set cannot be read.
    """
    same = [spots for spots in list_spot_sets(slide) if np.array_equal(spots.mask, training)]
    return max(same, key=lambda spots: int(spots.left_out.sum()), default=None)


def spot_set_names(slide: Any) -> list[str]:
    """Names of the spot sets stored with a slide, in order."""
    tables = getattr(slide.sdata, "tables", {})
    return sorted(key.removeprefix(PREFIX) for key in tables if key.startswith(PREFIX))


def read_spot_set(slide: Any, name: str) -> SpotSet:
    """Reopen a stored set, matched to the slide's spots by id.

    Raises
    ------
    InputError
        If there is no such set (the sets there are, are named).
    MismatchError
        If it has spots that the slide does not have, or was written by a later version.
    """
    names = spot_set_names(slide)
    if name not in names:
        there = (
            f"it has {', '.join(map(repr, names))}"
            if names
            else f"make it: c2lst select {slide.path} --name {name} ..."
        )
        raise InputError(f"slide '{slide.name}' has no spot set {name!r}", there)
    table = slide.sdata.tables[PREFIX + name]
    how = _how(table, slide, name)
    ids = slide.require_spots().ids
    role = pd.Series(table.obs["role"].astype(str).to_numpy(), index=table.obs_names.astype(str))
    odd = sorted(set(role) - set(_ROLES))
    if odd or not role.index.is_unique:
        what = f"the role {odd[0]!r}" if odd else "spots that are named twice"
        raise MismatchError(f"set {name!r} of slide '{slide.name}' has {what}", "select the spots again")
    unknown = role.index.difference(pd.Index(ids.astype(str)))
    if len(unknown):
        raise MismatchError(
            f"{len(unknown)} spots of set {name!r} are not in slide '{slide.name}': {', '.join(unknown[:5])}",
            "select the spots again",
        )
    # a spot that the set does not know was added later: it was never chosen, so it is left out
    aligned = role.reindex(ids.astype(str), fill_value="left out").to_numpy()
    return SpotSet.of(name, ids, aligned == "selected", how, aligned == "left out")


def write_spot_set(slide: Any, spots: SpotSet, *, replace: bool = False) -> None:
    """Store a set in the slide's SpatialData as the table `c2lst_set_<name>`, bound to the spots' shapes.

    Parameters
    ----------
    slide
        An open slide that is a SpatialData store.
    replace
        Whether a set of that name may be replaced.

    Raises
    ------
    InputError
        If the name cannot be one, is taken, the slide is no store or the set is of another slide.
    """
    raise_all(_problems(slide, spots, replace))
    from napari_c2lst.slides.store.results import write_elements

    write_elements(slide, tables={PREFIX + spots.name: _table(slide, spots)})


def delete_spot_set(slide: Any, name: str) -> None:
    """Delete a stored set; the spots, and everything else in the store, stay as they are.

    Raises
    ------
    InputError
        If there is no such set, or the store cannot be written.
    """
    if name not in spot_set_names(slide):
        raise InputError(f"slide '{slide.name}' has no spot set {name!r}")
    from napari_c2lst.slides.store.results import remove_tables

    remove_tables(slide, [PREFIX + name])


def checked_set_table(slide: Any, spots: SpotSet) -> Any:
    """The table that keeps a set, for those who write several elements in one go.

    Raises
    ------
    InputError
        If the name cannot be one, the slide is no store or the set is of another slide.
    """
    raise_all(_problems(slide, spots, replace=True))
    return _table(slide, spots)


def refuse_taken_name(slide: Any, name: str, replace: bool) -> None:
    """Refuse a name that a stored set has.

    Raises
    ------
    InputError
        If there is a set of that name and it may not be replaced.
    """
    if name in spot_set_names(slide) and not replace:
        raise InputError(
            f"slide '{slide.name}' already has a spot set {name!r}", "choose another --name, or pass --replace"
        )


def _problems(slide: Any, spots: SpotSet, replace: bool) -> list[InputError]:
    problems = []
    try:
        checked_name(spots.name)
        refuse_taken_name(slide, spots.name, replace)
    except InputError as problem:
        problems.append(problem)
    if not slide.is_zarr:
        problems.append(
            InputError(f"slide '{slide.name}' is no SpatialData store", f"convert it first: c2lst convert {slide.path}")
        )
    ids = slide.require_spots().ids
    if len(spots.mask) != len(ids) or not np.array_equal(spots.ids, ids[spots.mask]):
        problems.append(MismatchError(f"spot set {spots.name!r} is of another slide than '{slide.name}'"))
    return problems


def _how(table: Any, slide: Any, name: str) -> dict[str, Any]:
    body = table.uns.get("c2lst")
    body = body if isinstance(body, Mapping) else {}
    version = _number(body.get("version", 0))
    if not 1 <= version <= _FORMAT or "role" not in table.obs:
        raise MismatchError(
            f"table '{PREFIX}{name}' of slide '{slide.name}' is of format {version}, this version reads {_FORMAT}",
            "update napari-c2lst, or select the spots again",
        )
    try:
        return dict(json.loads(str(body.get("how"))))
    except (TypeError, ValueError):  # the spots are there: how they were chosen is for people only
        return {}


def _number(version: Any) -> int:
    try:
        return int(version)
    except (TypeError, ValueError):
        return 0


def _table(slide: Any, spots: SpotSet) -> Any:
    """One row a spot; X is 1 for chosen spots, so that any viewer can colour by it."""
    import anndata
    from spatialdata.models import TableModel

    ids = slide.require_spots().ids
    source = slide.sdata.tables[slide.table_name]
    keys = source.uns["spatialdata_attrs"]
    role = np.select([spots.mask, spots.left_out], [_ROLES[0], _ROLES[2]], _ROLES[1])
    obs = pd.DataFrame(
        {
            "region": pd.Categorical([slide.shapes_name] * len(ids)),
            # instance keys as the user's table has them: shapes may be indexed by numbers, not by barcodes
            "spot": source.obs[keys["instance_key"]].to_numpy()[_rows(slide)],
            "role": pd.Categorical(role, categories=list(_ROLES)),
        },
        index=pd.Index(ids.astype(str)),
    )
    # the way they were chosen as one JSON text: None and mixed lists have no place in an AnnData of their own
    uns = {"c2lst": {"kind": "spot set", "version": _FORMAT, "name": spots.name, "how": json.dumps(spots.how)}}
    table = anndata.AnnData(
        spots.mask.astype(np.float32)[:, None], obs=obs, var=pd.DataFrame(index=["selected"]), uns=uns
    )
    return TableModel.parse(table, region=slide.shapes_name, region_key="region", instance_key="spot")


def _rows(slide: Any) -> NDArray[np.int64]:
    return np.arange(len(slide.require_spots())) if slide.rows is None else np.asarray(slide.rows)
