"""What a panel says when a job has ended: the message and the next action. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_c2lst.plugin.forms.labels import in_window

_NEXT = {
    "adapt": "next: Sample, to draw synthetic patches with it",
    "sample": "next: Train a predictor with these pairs",
    "train": "next: Predict genes over the slide",
    "predict": "next: Look at the maps",
    "cells": "next: Look, to see them over the tissue",
    "evaluate": "next: Judge, to read the scores",
}


@dataclass(frozen=True)
class Ending:
    """What to say.

    Attributes
    ----------
    level
        "success", "info" or "error".
    message, hint
        What is the matter, and the next action.
    resumable
        Whether the same job can go on.
    """

    level: str
    message: str
    hint: str
    resumable: bool


def ending(task: str, state: str, last: Mapping[str, Any]) -> Ending:
    """What to say of a job.

    Parameters
    ----------
    state
        "finished", "failed" or "stopped".
    last
        The fields of its last event.
    """
    if state == "finished":
        return Ending("success", _result(task, last), _NEXT.get(task, ""), False)
    message, hint = in_window(str(last.get("message", ""))), in_window(str(last.get("hint", "")))
    whole = task == "convert"  # comes before a step, whole or not at all: there is nothing to go on from
    if state == "stopped":
        hint = "nothing was written: press Run to start again" if whole else hint or "press Resume to start it again"
        return Ending("info", message or f"'{task}' was stopped", hint, not whole)
    # what was wrong with the input has to be changed first: the same again would fail again
    resumable = last.get("fault") != "input" and not whole
    hint = "press Run to start again" if whole and last.get("fault") == "crash" else hint or "open Details"
    return Ending("error", message or f"'{task}' failed", hint, resumable)


def _result(task: str, last: Mapping[str, Any]) -> str:
    result, lines = last.get("result"), last.get("lines")
    said = _said(task, result) if isinstance(result, Mapping) else ""
    if said:
        return said
    # paths and the next command are for the command line
    kept = [str(line) for line in lines if not str(line).startswith(("next:", "written"))] if lines else []
    return kept[0] if kept else "finished"


def _said(task: str, result: Mapping[str, Any]) -> str:
    """The result without its paths; empty where the task's own words will do."""
    name = Path(str(result.get("run", ""))).name
    try:
        if task == "adapt":
            return f"local model '{name}': {result['spots']} spots, {result['genes']} genes, {result['steps']} steps"
        if task == "sample":
            return f"pairs '{name}': {result['patches']:,} synthetic patches from {result['spots']} training spots"
    except KeyError:
        return ""
    return ""
