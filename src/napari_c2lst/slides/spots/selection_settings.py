"""The settings of `c2lst select`."""

from pathlib import Path
from typing import ClassVar, Literal

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.common.settings import setting
from napari_c2lst.slides.settings import SlideSettings

WAYS = ("fraction", "polygon", "column", "suggest", "ids")
"""The fields that say which spots; exactly one of them is given."""

_EXAMPLE = "c2lst select slide.zarr --name train --fraction 0.25 --seed 0"


class SelectSettings(SlideSettings):
    """Choose training spots and keep them in the slide under a name."""

    task: ClassVar[str] = "select"

    name: str = setting(help="name of the set of spots: letters, digits, _ and -")
    fraction: float | None = setting(None, help="choose this share of the spots, such as 0.25", gt=0, le=1)
    split: Literal["random", "blocked"] = setting(
        "random",
        help="with --fraction: random = scattered spots, blocked = whole regions of about a millimetre, with a gap to "
        "the spots that are scored (the honest test)",
    )
    seed: int = setting(0, help="with --fraction: another seed chooses other spots", ge=0)
    polygon: Path | None = setting(
        None, help="choose the spots inside the shapes of a GeoJSON file (QuPath's export); every shape counts"
    )
    polygon_class: tuple[str, ...] = setting(
        (), help="with --polygon: only shapes of these classes or names; none = all shapes"
    )
    polygon_system: str | None = setting(
        None,
        help="with --polygon: coordinate system of the SpatialData that the shapes were drawn in; none = pixels of the"
        " full-resolution image, as QuPath writes them",
    )
    column: str | None = setting(None, help="choose by a column of the slide's table, such as a pathologist's label")
    equals: tuple[str, ...] = setting((), help="with --column: the values that choose a spot")
    suggest: int | None = setting(
        None,
        help="choose the N spots that cover the slide's morphology best; with --min-tissue 0.5 no bare glass is chosen",
        unit="spots",
        ge=1,
    )
    ids: Path | None = setting(None, help="choose the spots named in a text file, one id a line")
    min_counts: float = setting(0, help="leave out spots with fewer counts", unit="counts", ge=0)
    min_genes: int = setting(0, help="leave out spots with fewer genes", unit="genes", ge=0)
    min_tissue: float = setting(0, help="leave out spots with a smaller share of tissue under them", ge=0, le=1)
    replace: bool = setting(False, help="replace a set of this name")
    patch_um: float = setting(
        112.0,
        help="side of the tissue patch of a spot: for the gap of a blocked split and for --suggest",
        unit="um",
        gt=0,
        advanced=True,
    )
    workers: int | None = setting(
        None, help="threads for reading patches; none = one for each core", ge=1, advanced=True
    )

    @property
    def way(self) -> str:
        """The one field of `WAYS` that is given; `check` makes sure of it."""
        return self.given()[0]

    def given(self) -> list[str]:
        """The fields of `WAYS` that are given."""
        return [name for name in WAYS if getattr(self, name) is not None]

    def check(self) -> None:
        """Refuse settings that contradict each other, all faults at once.

        Raises
        ------
        InputError
            If no or several ways to choose are given, or a setting belongs to another way.
        """
        given = self.given()
        problems = []
        if not given:
            problems.append(
                InputError(f"nothing says which spots to choose: {_flags(WAYS)}", f"for instance: {_EXAMPLE}")
            )
        elif len(given) > 1:
            problems.append(InputError(f"{_flags(given, ' and ')} both choose the spots", "give one of them"))
        for name, way in (("equals", "column"), ("polygon_class", "polygon"), ("polygon_system", "polygon")):
            if getattr(self, name) and way not in given:
                problems.append(InputError(f"{_flags([name])} belongs to {_flags([way])}, which is not given"))
        if self.split == "blocked" and "fraction" not in given:
            problems.append(InputError("--split blocked belongs to --fraction, which is not given"))
        if self.column is not None and not self.equals:
            problems.append(
                InputError(
                    f"--column {self.column} says no value", f"add the values: --column {self.column} --equals VALUE"
                )
            )
        raise_all(problems)


def _flags(names: tuple[str, ...] | list[str], joined: str = ", ") -> str:
    return joined.join("--" + name.replace("_", "-") for name in names)
