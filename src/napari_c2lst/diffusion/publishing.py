"""Publish a central model: weights, configuration, model card, licence and checksums; nothing that tells of a patient.

The folder is made anew from what is known to be harmless, never copied: a run folder also holds tiles, pictures,
paths and the machine's name.
"""

import re
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_folder
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult

from .cards import write_card
from .central import EMBEDDED, CentralModel, load_central, save_central
from .checksums import write_checksums
from .publish_settings import PublishSettings

LICENCE = "LICENSE"
# figures of the training, and the two texts that the user can state anew
_FACTS = ("data", "licence", "tiles", "steps", "batch", "loss")
_REFERENCE = "reference"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# a drive or two folders in a row; "and/or" or a web address's tail is no path
_PATH = re.compile(r"(?<![\w:/])(?:[A-Za-z]:[\\/]|~/|/[\w.-]+/[\w./-]*|\\\\[\w.-]+\\)")


class PublishResult(TaskResult):
    """A central model that can be given away."""

    folder: Path
    content_hash: str
    megabytes: float
    files: list[str]

    def lines(self) -> list[str]:
        return [
            f"central model to publish: {self.folder} ({self.megabytes:.1f} MB: {', '.join(self.files)})",
            f"content hash {self.content_hash}; local models name their central model by it",
            f"try it: c2lst adapt SLIDE --central {self.folder}",
            "read README.md before you give it away; nothing was uploaded",
        ]


def run(settings: PublishSettings, reporter: Reporter) -> PublishResult:
    """Write a publishable folder of a central model.

    Raises
    ------
    InputError
        If there is no central model, no licence, a text that names a path, or the folder is there already.
    """
    _refuse_local(settings.run)
    original = load_central(settings.run)
    public = published(original, settings)
    _refuse_paths({"name": public.name, **public.facts})
    licence = _licence_text(settings, str(public.facts["licence"]))
    with atomic_folder(settings.out) as target:
        save_central(public, target / "model", half=settings.half)
        for part in sorted((target / "model").iterdir()):
            part.rename(target / part.name)
        (target / "model").rmdir()
        # what half precision made of the weights is what is given away: the card states its hash
        public = load_central(target)
        write_card(public, target)
        (target / LICENCE).write_text(licence, encoding="utf-8")
        write_checksums(target)
    if settings.half and public.content_hash != original.content_hash:
        reporter.message(
            "float16 weights are another model than the run's: local models adapted to the run do not fit it "
            "(--no-half keeps the weights as they are)"
        )
    files = sorted(f.relative_to(settings.out).as_posix() for f in settings.out.rglob("*") if f.is_file())
    size = sum((settings.out / f).stat().st_size for f in files) / 1e6
    return PublishResult(folder=settings.out, content_hash=public.content_hash, megabytes=size, files=files)


def published(model: CentralModel, settings: PublishSettings) -> CentralModel:
    """The model with its name, facts and stain reference as they may be read by anyone.

    The slide that gave the stain reference is forgotten: slides are often named after patients.
    """
    name = settings.name or model.name
    if not _NAME.fullmatch(name):
        raise InputError(f"the name {name!r} cannot be published", "use letters, digits, '.', '_' and '-' (--name)")
    facts = {key: model.facts[key] for key in _FACTS if key in model.facts}
    facts |= {key: value for key, value in (("data", settings.data), ("licence", settings.licence)) if value}
    if not facts.get("licence"):
        raise InputError(f"central model '{model.name}' states no licence", "say one, such as --licence 'CC BY 4.0'")
    stain = model.spec.stain
    spec = (
        model.spec
        if stain is None
        else model.spec.model_copy(update={"stain": stain.model_copy(update={"name": _REFERENCE})})
    )
    return CentralModel(model.net, model.schedule, spec, name, facts)


def _refuse_local(folder: Path) -> None:
    if not folder.exists() and str(folder) != EMBEDDED:
        raise InputError(f"there is no folder '{folder}'", "give the run folder of 'c2lst pretrain'")
    if (folder / "local.safetensors").exists() or folder.name == "local.safetensors":
        raise InputError(
            f"'{folder}' is a local model: it knows the spots and genes of one slide, and is not published",
            "give the run folder of 'c2lst pretrain'",
        )


def _refuse_paths(texts: dict[str, Any]) -> None:
    for key, value in texts.items():
        found = _PATH.search(str(value))
        if found:
            raise InputError(
                f"{key} = {str(value)!r} names a path ('{found.group()}')", f"say it without: --{key} '...'"
            )


def _licence_text(settings: PublishSettings, licence: str) -> str:
    if settings.licence_file is None:
        return f"{licence}\n"
    try:
        return f"{licence}\n\n{settings.licence_file.read_text(encoding='utf-8')}"
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{settings.licence_file}' cannot be read as text", "give a plain text file") from error
