"""What a user of weights must know: licence, types, what they were made for. Loads no weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_c2lst.cells.facts import CELLS_FILE, EMBEDDED, PANNUKE, PANNUKE_NOTICE, CellFacts, embedded_file, read_facts
from napari_c2lst.common.errors import InputError

_TOLD = "cells_notices_told"
OTHERS = "Weights of others: use them under the terms of those who made them."


def weights_facts(weights: str) -> CellFacts | None:
    """The facts of weights that say them; None for checkpoints of others, or where there are none.

    Parameters
    ----------
    weights
        As `c2lst cells` takes them: "embedded", a run folder or a file.
    """
    if weights in ("", PANNUKE):
        return None
    try:
        file = embedded_file() if weights == EMBEDDED else Path(weights).expanduser()
        file = file / CELLS_FILE if file.is_dir() else file
        return read_facts(file) if file.is_file() else None
    except (InputError, KeyError, ValueError, OSError, RuntimeError):  # the job says what is wrong
        return None


def weights_note(weights: str) -> str:
    """What they know and under which terms they are, in one or two sentences; empty where no weights are chosen."""
    if weights == PANNUKE:
        return _sentence(PANNUKE_NOTICE)
    facts = weights_facts(weights)
    if facts is None:
        return OTHERS if weights and weights != EMBEDDED else ""
    terms = facts.notice or (f"licence: {facts.licence}" if facts.licence else "")
    types = f"Types: {', '.join(facts.type_names)}." if facts.nr_types else "Finds nuclei without types."
    return f"{types} {_sentence(terms)}".strip()


def notice_of(weights: str) -> str:
    """What has to be read before the first use; empty for nothing."""
    if weights == PANNUKE:
        return _sentence(PANNUKE_NOTICE)
    facts = weights_facts(weights)
    return "" if facts is None else _sentence(facts.notice)


def unread_notice(extras: dict[str, Any], weights: str | None) -> str:
    """What has to be read before the first use, once in each viewer; empty for nothing, or from then on.

    Parameters
    ----------
    extras
        What the panels of a viewer share.
    """
    notice, told = notice_of(weights or ""), extras.setdefault(_TOLD, set())
    if not notice or notice in told:
        return ""
    told.add(notice)
    return notice


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")
