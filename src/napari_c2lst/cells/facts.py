"""What weights of a HoVer-Net know and where they come from; read without torch."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_c2lst.common.errors import InputError, MismatchError, first_line

EMBEDDED = "embedded"
PANNUKE = "pannuke"
FACTS_VERSION = 1
FACTS_KEY = "c2lst_cells"
CELLS_FILE = "hovernet.safetensors"  # inside a run folder, and in the package
PICKLES = (".tar", ".pth", ".pt", ".ckpt", ".bin")  # what `torch.save` wrote
WEIGHTS_ENDINGS = (*PICKLES, ".safetensors")
UNTYPED = "untyped"  # what a nucleus is called in which no type but background was seen
MPP = 0.25  # microns per pixel that HoVer-Net's public weights were trained at

# Okabe-Ito, for types that come without colours
_SPARE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_Shade = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[_Shade, _Shade, _Shade]
Density = tuple[float, float, float]  # of red, green and blue


class CellType(BaseModel):
    """A type of nuclei.

    Attributes
    ----------
    name
        As the data set has it.
    colour
        (red, green, blue), 0 to 255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    colour: Colour


Types = tuple[CellType, ...]


def _types(colours: Mapping[str, Colour]) -> Types:
    return tuple(CellType(name=name, colour=colour) for name, colour in colours.items())


PANNUKE_TYPES = _types(
    {
        "background": (0, 0, 0),
        "neoplastic": (255, 0, 0),
        "inflammatory": (0, 255, 0),
        "connective": (0, 0, 255),
        "dead": (255, 255, 0),
        "non-neoplastic epithelial": (255, 165, 0),
    }
)
# CoNSeP's classes as HoVer-Net merges them
CONSEP_TYPES = _types(
    {
        "background": (0, 0, 0),
        "miscellaneous": (255, 255, 0),
        "inflammatory": (0, 255, 0),
        "epithelial": (255, 0, 0),
        "spindle-shaped": (0, 0, 255),
    }
)
PANNUKE_LICENCE = "CC BY-NC-SA 4.0"
PANNUKE_NOTICE = (
    f"the public PanNuke weights of HoVer-Net are under {PANNUKE_LICENCE}: not for commercial use, name the authors "
    "(Graham et al. 2019; Gamper et al. 2020), share what you derive under the same terms"
)


class CellFacts(BaseModel):
    """What a network of nuclei is, and where its weights come from; kept in our files as JSON.

    Attributes
    ----------
    mode, nr_types, width
        As `HoVerNet` takes them.
    mpp
        Microns per pixel it was trained at.
    types
        Name and colour of each type, background first; empty without types.
    name
        A short name, for messages.
    licence
        Of the weights; empty when it is not known.
    notice
        What the user is told when the weights are used; empty for nothing.
    density
        Optical density of the darkest tissue it has learned from in red, green and blue, as `density_of` measures it;
        None when unknown.
    card
        What its model card states: data, steps, scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["fast", "original"]
    nr_types: int | None = Field(default=None, ge=2)
    width: float = Field(default=1.0, gt=0, le=4)
    mpp: float = Field(default=MPP, gt=0)
    types: Types = ()
    name: str = "HoVer-Net"
    licence: str = ""
    notice: str = ""
    density: Density | None = None
    card: dict[str, Any] = {}

    @model_validator(mode="after")
    def _as_many_types(self) -> Self:
        if len(self.types) != (self.nr_types or 0):
            raise ValueError(f"{len(self.types)} names of types for nr_types = {self.nr_types}")
        refuse_same_names([t.name for t in self.types[1:]])
        return self

    @property
    def type_names(self) -> tuple[str, ...]:
        """Names of the types without background; one for all nuclei where there are no types."""
        return tuple(t.name for t in self.types[1:]) or ("nucleus",)

    @property
    def type_colours(self) -> tuple[Colour, ...]:
        """Colours of `type_names`."""
        return tuple(t.colour for t in self.types[1:]) or (_SPARE[0],)


def refuse_same_names(names: Sequence[str]) -> None:
    """Refuse names of types, without background, that tables could not keep apart.

    Raises
    ------
    ValueError
        If a name is empty, comes twice, or is that of nuclei without a type.
    """
    for place, name in enumerate(names):
        if not name or name == UNTYPED:
            raise ValueError(f"{name!r} is no name of a type")
        if name in names[:place]:
            raise ValueError(f"two types are called {name!r}")


def embedded_file() -> Path:
    """The narrow network that comes with the package."""
    return Path(str(resources.files("napari_c2lst") / "data" / "cells" / CELLS_FILE))


def default_types(nr_types: int | None) -> Types:
    """Types of weights that say nothing of them: six are taken as PanNuke's, others are numbered."""
    if nr_types is None:
        return ()
    if nr_types == len(PANNUKE_TYPES):
        return PANNUKE_TYPES
    numbered = (CellType(name=f"type {i}", colour=_SPARE[(i - 1) % len(_SPARE)]) for i in range(1, nr_types))
    return (CellType(name="background", colour=(0, 0, 0)), *numbered)


def read_type_info(file: Path) -> Types:
    """Names and colours of a HoVer-Net type_info.json: `{"0": ["background", [0, 0, 0]], ...}`.

    Raises
    ------
    InputError
        If the file is not there, or says something else.
    """
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
        entries = {int(number): entry for number, entry in body.items()}
        types = tuple(CellType(name=entries[i][0], colour=tuple(entries[i][1])) for i in range(len(entries)))
        refuse_same_names([t.name for t in types[1:]])
    except FileNotFoundError:
        raise InputError(f"there is no file '{file}'", "give the type_info.json of the weights") from None
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(
            f"'{file}' does not name types ({_said(error)})",
            'it looks like {"0": ["background", [0, 0, 0]], "1": ["neoplastic", [255, 0, 0]]}',
        ) from error
    if len(types) < 2:
        raise InputError(f"'{file}' names {len(types)} types", "name the background and at least one type")
    return types


def with_types(facts: CellFacts, types: Types) -> CellFacts:
    """The facts with other names and colours of the types.

    Raises
    ------
    MismatchError
        If the weights have another number of types.
    """
    if len(types) != (facts.nr_types or 0):
        has = f"{facts.nr_types} types with background" if facts.nr_types else "no types"
        raise MismatchError(
            f"{len(types)} types are named ({', '.join(t.name for t in types)}), the weights '{facts.name}' have {has}",
            "give the type_info.json that belongs to the weights",
        )
    return facts.model_copy(update={"types": types})


def facts_of_header(metadata: dict[str, str], file: Path) -> CellFacts | None:
    """The facts in the header of a safetensors file of ours; None in another one.

    Raises
    ------
    InputError
        If they are damaged, or of a newer version.
    """
    text = metadata.get(FACTS_KEY)
    if text is None:
        return None
    try:
        body = json.loads(text)
        if body["version"] != FACTS_VERSION:
            raise InputError(f"the weights '{file}' have version {body['version']}", "update napari-c2lst")
        return CellFacts.model_validate(body["facts"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the weights '{file}' are damaged: {_said(error)}", "copy them again") from error


def read_facts(file: Path) -> CellFacts | None:
    """The facts of a safetensors file, without its weights; None for files of others.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    if file.suffix != ".safetensors":
        return None
    try:
        with safe_open(file, framework="np") as opened:
            return facts_of_header(opened.metadata() or {}, file)
    except (SafetensorError, OSError) as error:
        raise InputError(f"the weights '{file}' cannot be read: {_said(error)}", "copy them again") from error


def listed(names: Sequence[str], most: int = 3) -> str:
    """'a, b, c and 12 more'."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _said(error: BaseException) -> str:
    if isinstance(error, ValidationError):  # its first line counts the faults, and names none
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        return f"{place} = {fault['input']!r}: {fault['msg']}" if place else fault["msg"].removeprefix("Value error, ")
    return first_line(error)
