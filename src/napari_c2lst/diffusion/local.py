"""Local model files: the modulation alone (safetensors), and what it belongs to (versioned JSON inside)."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from napari_c2lst.common.checkpoints import with_prefix, without_prefix
from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.common.files import atomic_file, content_hash
from napari_c2lst.common.places import find_place, is_place
from napari_c2lst.common.runs import read_config
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec

from .central import EMBEDDED, CentralModel, is_hub_id
from .modulation import Modulation, Null

LOCAL_FILE = "local.safetensors"
LOCAL_VERSION = 1
_KEY = "c2lst"
_WEIGHTS = "modulation."
_NAME_IT = "name it: --central FOLDER"


class LocalFacts(BaseModel):
    """What a local model belongs to and how it was made.

    Attributes
    ----------
    central_hash, central_source, central_name
        The central model: the hash decides, the source is where it was found (see `find_source`), the name is for
        messages.
    slide
        Name of the slide.
    panel, spec
        Genes in order with their scale; size, pixels and stain of the patches.
    training_ids
        Ids of the training spots; nothing else of the slide was seen.
    training
        Steps, seed, final loss and the like, for the record.
    """

    model_config = ConfigDict(frozen=True)

    central_hash: str
    central_source: str
    central_name: str
    slide: str
    panel: GenePanel
    spec: PatchSpec
    training_ids: tuple[str, ...]
    training: dict[str, Any] = {}


@dataclass(frozen=True)
class LocalModel:
    """A local model: modulation weights and the facts about them.

    Attributes
    ----------
    modulation
        What was learned, in evaluation mode.
    facts
        What it belongs to.
    content_hash
        'sha256:...' over weights and facts; pairs name it. Empty before the model was saved or loaded.
    """

    modulation: Modulation
    facts: LocalFacts
    content_hash: str = field(default="")

    def save(self, folder: Path) -> Path:
        """Write `local.safetensors` into a folder (replacing one that is there) and return its path."""
        from safetensors.torch import save_file

        shape = {
            "genes": self.modulation.genes,
            "embedding": self.modulation.embedding,
            "channels": self.modulation.channels,
            "null": self.modulation.null_kind,
        }
        head = {"version": LOCAL_VERSION, "modulation": shape, "facts": self.facts.model_dump(mode="json")}
        tensors = {k: v.detach().cpu().contiguous() for k, v in self.modulation.state_dict().items()}
        with atomic_file(Path(folder) / LOCAL_FILE) as file:
            save_file(with_prefix(tensors, _WEIGHTS), file, metadata={_KEY: json.dumps(head)})
        return Path(folder) / LOCAL_FILE

    def check_central(self, central: CentralModel) -> None:
        """Refuse another central model than the one this model was adapted from.

        Raises
        ------
        MismatchError
            Naming both hashes.
        """
        if central.content_hash != self.facts.central_hash:
            raise MismatchError(
                f"the local model of slide '{self.facts.slide}' belongs to the central model "
                f"'{self.facts.central_name}' ({self.facts.central_hash}), not to '{central.name}' "
                f"({central.content_hash})",
                f"give that one with --central (it was '{self.facts.central_source}'), or run 'c2lst adapt' again",
            )


def load_local(path: Path, central: CentralModel | None = None) -> LocalModel:
    """Read a local model, from its file or from the folder or run that holds it.

    Parameters
    ----------
    path
        `local.safetensors` or its folder.
    central
        Check against this central model.

    Raises
    ------
    InputError
        If there is none, or it is damaged, a pickle, or of a newer version.
    MismatchError
        If it belongs to another central model, naming both hashes.
    """
    file = find_local(Path(path))
    head, tensors = _read(file)
    if head.get("version") != LOCAL_VERSION:
        raise InputError(f"local model '{file}' has version {head.get('version')}", "update napari-c2lst")
    try:
        facts = LocalFacts.model_validate(head["facts"])
        shape = head["modulation"]
        null: Null = shape["null"]
        modulation = Modulation(shape["genes"], shape["embedding"], shape["channels"], null)
        modulation.load_state_dict(without_prefix(tensors, _WEIGHTS))
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise InputError(f"local model '{file}' is damaged: {first_line(error)}", "copy it again") from error
    model = LocalModel(modulation.requires_grad_(False).eval(), facts, content_hash([file.read_bytes()]))
    if central is not None:
        model.check_central(central)
    return model


def find_source(path: Path, facts: LocalFacts) -> str:
    """Where the central model of a local model is: a name, a hub id or a folder.

    A folder is kept relative to the local model. What lay elsewhere is named by the settings of the run beside it,
    which are not given away with the model.

    Raises
    ------
    InputError
        If it cannot be said.
    """
    folder = find_local(path).parent
    place = find_place(facts.central_source, folder)
    if place is not None and place.exists():
        return str(place)
    if place is None:
        with suppress(InputError, KeyError):
            named = str(read_config(folder)["settings"]["central"])
            if is_place(facts.central_source, Path(named), folder):
                return named
        raise InputError(
            f"the central model '{facts.central_name}' of the local model '{path}' is not known on this machine",
            _NAME_IT,
        )
    if facts.central_source == EMBEDDED or is_hub_id(facts.central_source):
        return facts.central_source
    raise InputError(
        f"the central model '{facts.central_name}' of the local model '{path}' is no longer at '{place}'", _NAME_IT
    )


def find_local(path: Path) -> Path:
    """The file of a local model.

    Raises
    ------
    InputError
        If there is none.
    """
    file = path / LOCAL_FILE if path.is_dir() else path
    if file.is_file():
        return file
    if path.is_dir():
        hint = "wait for 'c2lst adapt' to finish, or go on with it: --resume auto"
        raise InputError(f"'{path}' holds no local model ({LOCAL_FILE})", hint)
    raise InputError(f"there is no local model '{path}'", "give the run folder of 'c2lst adapt'")


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY)
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"'{file}' is not a safetensors file ({first_line(error)})",
            "a local model is the local.safetensors of a 'c2lst adapt' run; pickles are never opened",
        ) from error
    if text is None:
        raise InputError(
            f"'{file}' is not a local model: it has no '{_KEY}' metadata", "give 'c2lst adapt's local.safetensors"
        )
    try:
        return dict(json.loads(text)), tensors
    except (TypeError, ValueError) as error:
        raise InputError(f"local model '{file}' is damaged: {first_line(error)}", "copy it again") from error
