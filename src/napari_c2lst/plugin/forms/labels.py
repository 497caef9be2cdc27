"""How fields are called in a window, and what messages written for the command line read like there."""

from __future__ import annotations

import re
from typing import Any

from napari_c2lst.common.settings import SettingInfo

# Where the field's name with blanks would not do.
_LABELS = {
    "adapt": "Settings of adapt",
    "allow_download": "Allow download",
    "arms": "Train on",
    "batch": "Batch size",
    "cells": "Compare nuclei",
    "cells_patches": "Patches searched",
    "central": "Central model",
    "checkpoint_every": "Checkpoint every",
    "count_as_ratio": "Count as pairs a spot",
    "csv": "Also as CSV",
    "geojson": "Also as GeoJSON",
    "ema": "Moving average",
    "fraction": "Training share",
    "gene_list": "Gene list",
    "genes": "Genes",
    "genes_shown": "Genes to map",
    "image_name": "Image element",
    "interpolate": "Mix expression",
    "last_rate": "Last learning rate",
    "local": "Local model",
    "min_snr": "Min-SNR",
    "mix": "Mix of patches",
    "mpp": "Pixel size",
    "name": "Name",
    "neighbours": "Similar spots",
    "null": "Guide away from",
    "out": "Run name",
    "pairs": "Synthetic pairs",
    "partners": "Mix with",
    "patch_px": "Patch pixels",
    "patch_um": "Patch side",
    "predictors": "Predictors",
    "preview_every": "Pictures every",
    "rasters": "Also as images",
    "ratio": "Patches a spot",
    "rerun": "Repeat the chain",
    "runs": "Predictions",
    "sample": "Settings of sample",
    "seeds": "Seeds",
    "spots": "Spots",
    "stride_um": "Grid spacing",
    "synthetic": "Synthetic pairs",
    "tta": "Average over flips",
    "train": "Settings of train",
    "use": "Learn from",
    "where": "Where",
}
_UNITS = {"um": "µm", "um/px": "µm/px"}


def label_of(info: SettingInfo) -> str:
    """What a field is called: 'learning_rate' -> 'Learning rate'."""
    name = info.name.removesuffix("_um").removesuffix("_px") if info.unit else info.name
    return _LABELS.get(info.name, name.replace("_", " ").capitalize())


def unit_of(info: SettingInfo) -> str:
    """The unit as it is written beside a field; empty for none."""
    return _UNITS.get(info.unit or "", info.unit or "")


def tooltip_of(info: SettingInfo) -> str:
    """Help, bounds and the flag of a field; wrapped, since it is rich text."""
    flag = "--" + info.name.replace("_", "-")
    parts = [in_window(info.help[:1].upper() + info.help[1:]).replace("<", "&lt;") + "."]
    bounds = bounds_in_words(info)
    if bounds:
        parts.append(f"{bounds[:1].upper()}{bounds[1:]}.")
    return "<p>" + " ".join(parts) + f"</p><p><i>On the command line: {flag}</i></p>"


def bounds_in_words(info: SettingInfo) -> str:
    """'at least 1, at most 1000'; empty without bounds."""
    words = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
    return ", ".join(f"{word} {info.bounds[key]:g}" for key, word in words if key in info.bounds)


# In order: the longer ones first.
_REWRITTEN: tuple[tuple[str, str], ...] = (
    (r"go on with the same command and --resume auto(?: \(.*\))?", "press Resume to go on from there"),
    (r"(?:go on with|finish it:) '?c2lst (\w+)'?(?: \.\.\.| and) --resume auto", r"press Resume in the step '\1'"),
    (r"go on in the run folder it belongs to, with --resume auto, or .*", "press Resume in its own step"),
    (r"start it anew with --resume never and another --out", "press Run, with another run name"),
    (r"run the same command again: it goes on", "press Resume: it goes on"),
    (r"(?:run )?the same command (?:again|starts it anew)", "press Run again"),
    (r"the same command goes on", "Resume goes on"),
    (r"(make) (?:some|one) with 'c2lst (\w+)[^']*'", r"\1 some in the step '\2'"),
    (r"predict first: c2lst predict", "predict first"),
    (r"sample more: c2lst sample --ratio (\S+)", r"sample more: set 'Patches a spot' to \1 in the step 'sample'"),
    (r" \(see 'c2lst select'\)", ", as the step 'spots' keeps it"),
    (r"; repeat the flag for several", ""),
    (r"the --out of 'c2lst train-cells'", "the run folder of 'c2lst train-cells'"),
    (r"c2lst select \.\.\. --(?:replace|min-counts \d+)", "in the step 'spots'"),
    (r"convert it first: c2lst convert .*", "convert it to a SpatialData first"),
    (r"make a store that does: c2lst convert .*", "choose it in the panel 'Open': Use another image file"),
    (r" \(see 'c2lst info --help' for what can be opened\)", ""),
    (r"the --out of 'c2lst (\w+)'", r"a run of the step '\1'"),
    (r"give the folder that --out named", "choose a run folder"),
    (r"(?:pass|set) --image FILE", "choose it in the panel 'Open': Use another image file"),
    (r"look at it with 'c2lst info'", "look at it in the panel 'Open'"),
    (r"start it again with --resume auto", "press Resume to go on from the last checkpoint"),
    (r"go on with --resume auto", "press Resume to go on from the last checkpoint"),
    (r"or go on with --resume auto", "or press Resume"),
    (r" \(without --resume PATH\)", ""),
    (r"(?:use |pass )?--preset (\w+)", r"choose the preset '\1'"),
    (r"pass --mpp, for example --mpp [\d.]+", "set the microns per pixel in the panel 'Open'"),
    (r"pass --mpp(?: [\w.]+)?", "set the microns per pixel in the panel 'Open'"),
    (r"(?:use |pass )?--device auto or --device cpu", "choose the device 'auto' or 'cpu'"),
    (r"use --device (\w+)", r"choose the device '\1'"),
    (r"choose another --out\b", "choose another run name"),
    (r"a larger --fraction", "a larger share"),
    (r"make it: c2lst select .*", "select spots and save them as a set of that name"),
    (r"see 'c2lst (\w+) --help'", "correct it in the form"),
    (r"this is a fault of napari-c2lst: set C2LST_DEBUG=1 to see where, and report it",
     "this is a fault of napari-c2lst: please report it with the text under Details"),
    (r"report it with the lines of 'details'", "report it with the text under Details"),
    (r"\b(\d+(?:\.\d+)?) um\b", r"\1 µm"),
    (r"\(--density 1 leaves them\)", "(set 'Density' to 1 to leave them)"),
    (r"(?:run|check) 'c2lst convert' first", "convert it to a SpatialData first"),
    (r"a 'c2lst (\w+)' run\b", r"a run of the step '\1'"),
    (r"'c2lst (adapt|sample|train|predict|evaluate|cells)'", r"the step '\1'"),
)  # fmt: skip


def in_window(text: str) -> str:
    """A message or hint as it reads in a window: buttons and fields instead of flags.

    >>> in_window("pass --where grid")
    "set 'Where' to grid"
    """
    for pattern, replacement in _REWRITTEN:
        text = re.sub(pattern, replacement, text)
    text = re.sub(r"the step '(\w+)'", lambda match: f"the step '{match[1].capitalize()}'", text)
    # a flag alone may be followed by the sentence
    text = re.sub(r"(?:pass|use|give|add) --([a-z][a-z-]+) (?!(?:to|if|or|and|for)\b)([\w.+-]+)", _set_to, text)
    text = re.sub(r"(?:pass|add) --([a-z][a-z-]+)", lambda match: f"set '{_label(match[1])}'", text)
    # not inside of names of files
    return re.sub(r"(?<![\w./\\-])--([a-z][a-z-]+)", lambda match: f"'{_label(match[1])}'", text)


def _set_to(match: re.Match[str]) -> str:
    return f"set '{_label(match[1])}' to {match[2]}"


def _label(flag: str) -> str:
    name = flag.replace("-", "_")
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def faults_in_window(message: str, names: Any) -> str:
    """A message of `TaskSettings.resolve` with the labels of fields instead of their names."""
    for name in names:
        # a list that had nothing to choose has no value to show
        message = re.sub(rf"(^|; ){name} = None: [^;]*", rf"\1{name} is missing", message)
        message = re.sub(rf"(^|; ){name} (is missing|= )", lambda m, n=name: f"{m[1]}'{_label(n)}' {m[2]}", message)
    return in_window(message)
