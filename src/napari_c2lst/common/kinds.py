"""What the annotation of a settings field says: one value or several, a choice, JSON; for flags, forms and commands."""

import csv
import io
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def flag_name(field_name: str) -> str:
    """'patch_um' -> '--patch-um'."""
    return "--" + field_name.replace("_", "-")


def strip_optional(annotation: Any) -> Any:
    """'X | None' -> X; 'Annotated[X, ...]' -> X; anything else as it is."""
    if get_origin(annotation) is Annotated:
        return strip_optional(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        others = [a for a in get_args(annotation) if a is not type(None)]
        if len(others) == 1 and len(others) < len(get_args(annotation)):
            return strip_optional(others[0])
    return annotation


def may_be_none(annotation: Any) -> bool:
    """Whether a field may be left without a value."""
    return type(None) in get_args(annotation)


def is_sequence(kind: Any) -> bool:
    """Whether a field holds several values."""
    return get_origin(kind) in (tuple, list, set, frozenset, Sequence) or kind in (tuple, list)


def item_type(kind: Any) -> Any:
    """The type of a sequence's items."""
    arguments = get_args(kind)
    return strip_optional(arguments[0]) if arguments else str


def is_structured(kind: Any) -> bool:
    """Whether a value is given as JSON."""
    if get_origin(kind) in (dict, Mapping):
        return True
    return isinstance(kind, type) and issubclass(kind, (BaseModel, dict))


def joined_texts(texts: Sequence[str]) -> str:
    """Texts as one word of a command line that the command line splits into the same texts again."""
    word = io.StringIO()
    csv.writer(word, lineterminator="").writerow(texts)
    return word.getvalue()
