"""Central model files: a diffusers folder (`unet/`, `scheduler/`) with `c2lst.json` beside it."""

import json
import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.common.files import atomic_folder, content_hash
from napari_c2lst.common.hub import no_telemetry
from napari_c2lst.slides.patches.cutting import PatchSpec

from .checksums import SUMS, check_checksums
from .schedule import NoiseSchedule
from .unet import NoiseNet

EMBEDDED = "embedded"
META = "c2lst.json"
META_VERSION = 1
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
WEIGHTS = Path("unet") / "diffusion_pytorch_model.safetensors"
# Named one by one: a newer diffusers may add entries to its configurations, which must not change the hash.
_HASHED_ARCHITECTURE = (
    "sample_size",
    "block_out_channels",
    "layers_per_block",
    "down_block_types",
    "up_block_types",
    "attention_head_dim",
    "norm_num_groups",
    "norm_eps",
    "act_fn",
    "freq_shift",
    "flip_sin_to_cos",
)
_HASHED_SCHEDULE = ("num_train_timesteps", "beta_schedule", "prediction_type")


@dataclass(frozen=True)
class CentralModel:
    """A central diffusion model: histology, no genes.

    Attributes
    ----------
    net
        The network, frozen and in evaluation mode.
    schedule
        Its noise schedule.
    spec
        Size, pixels and stain of the patches it knows.
    name
        A short name, for messages.
    facts
        What its model card states: data, licence, steps, loss.
    content_hash
        'sha256:...' over weights, architecture, schedule and patch specification; local models name it.
    """

    net: NoiseNet
    schedule: NoiseSchedule
    spec: PatchSpec
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    content_hash: str = field(init=False)

    def __post_init__(self) -> None:
        if self.net.patch_px != self.spec.patch_px:
            raise MismatchError(
                f"the network takes {self.net.patch_px} px, the specification says {self.spec.patch_px} px"
            )
        self.net.requires_grad_(False).eval()
        object.__setattr__(self, "content_hash", _hash(self.net, self.schedule, self.spec))


def embedded_folder() -> Path:
    """Where the central model that comes with the package lies."""
    return Path(str(resources.files("napari_c2lst") / "data" / "central"))


def load_central(source: str | Path, *, allow_download: bool = False) -> CentralModel:
    """Load a central model.

    Parameters
    ----------
    source
        'embedded', a folder written by `save_central` (or a `c2lst pretrain` run), or a hub id.
    allow_download
        Whether a hub id may be fetched; without it nothing leaves or enters the machine.

    Raises
    ------
    InputError
        If it is not there, or not a central model.
    """
    from diffusers.models.unets.unet_2d import UNet2DModel
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    folder = find_central(source, allow_download=allow_download)
    meta = read_meta(folder)
    _refuse_pickles(folder)
    check_checksums(folder)
    try:
        # torch_dtype is left alone: half-precision files are widened, so that frozen weights meet fp32 inputs
        unet = UNet2DModel.from_pretrained(
            folder / "unet", use_safetensors=True, low_cpu_mem_usage=False, local_files_only=True
        ).float()
        # a folder "model/scheduler" that is not there would be looked for on the hub
        scheduler = DDPMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    except Exception as error:
        raise InputError(
            f"central model '{folder}' cannot be read: {first_line(error)}", "copy it again, or choose another"
        ) from error
    schedule = NoiseSchedule(scheduler)
    spec = _spec(meta, folder)
    try:
        net = NoiseNet(unet, int(meta["stem"]), schedule.velocity_alphas)
        return CentralModel(net, schedule, spec, str(meta["name"]), dict(meta.get("facts", {})))
    except (MismatchError, TypeError, ValueError) as error:
        said = error.message if isinstance(error, MismatchError) else first_line(error)
        raise InputError(f"'{folder / META}' is damaged: {said}", "copy the model again") from error


def central_spec(source: str | Path, *, allow_download: bool = False) -> PatchSpec:
    """The patch specification of a central model, without loading its weights.

    Raises
    ------
    InputError
        If it is not there, or not a central model.
    """
    folder = find_central(source, allow_download=allow_download)
    return _spec(read_meta(folder), folder)


def save_central(model: CentralModel, folder: Path, *, half: bool = False) -> Path:
    """Write a central model as a diffusers folder, whole or not at all.

    Parameters
    ----------
    half
        Store the weights as float16: half the size.

    Raises
    ------
    InputError
        If the folder is there already, or the disk is full.
    """
    with atomic_folder(folder) as target:
        unet: Any = model.net.unet
        dtype = torch.float16 if half else torch.float32
        tensors = {name: value.to(dtype).contiguous() for name, value in unet.state_dict().items()}
        unet.save_config(target / "unet")
        _write_weights(tensors, target / WEIGHTS)
        model.schedule.scheduler.save_pretrained(target / "scheduler")
        _forget_origin(target)
        meta = {
            "version": META_VERSION,
            "name": model.name,
            "stem": model.net.stem,
            "spec": model.spec.model_dump(mode="json"),
            "facts": model.facts,
        }
        (target / META).write_text(json.dumps(meta, indent=1))
    return folder


def find_central(source: str | Path, *, allow_download: bool = False) -> Path:
    """The folder of a central model: 'embedded', a folder, a `pretrain` run, or a hub id.

    Raises
    ------
    InputError
        If there is none, or it would have to be downloaded and may not be.
    """
    if str(source) == EMBEDDED:
        return embedded_folder()
    folder = Path(source)
    for candidate in (folder, folder / "central"):
        if (candidate / META).exists():
            return candidate
    if folder.exists():
        raise InputError(
            f"'{folder}' is not a central model: it has no {META}", "give a folder written by 'c2lst pretrain'"
        )
    if not is_hub_id(str(source)):
        raise InputError(
            f"there is no central model '{source}'", "give 'embedded', a folder, or a hub id like 'centre/model'"
        )
    if not allow_download:
        raise InputError(f"there is no folder '{source}'", "to fetch it from the hub, add --allow-download")
    return _download(str(source))


def is_hub_id(source: str) -> bool:
    """Whether a source reads 'centre/model'; `./model`, `../model`, `/model` and `model/` are folders."""
    return _HUB_ID.fullmatch(source) is not None


def read_meta(folder: Path) -> dict[str, Any]:
    """What `c2lst.json` of a central model says.

    Raises
    ------
    InputError
        If it cannot be read, or is of a newer version.
    """
    try:
        meta: dict[str, Any] = dict(json.loads((folder / META).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"'{folder / META}' cannot be read: {first_line(error)}", "copy the model again") from error
    if meta.get("version") != META_VERSION:
        raise InputError(f"central model '{folder}' has version {meta.get('version')}", "update napari-c2lst")
    missing = [key for key in ("name", "stem", "spec") if key not in meta]
    if missing:
        raise InputError(f"'{folder / META}' lacks {', '.join(missing)}", "copy the model again")
    return meta


def _spec(meta: dict[str, Any], folder: Path) -> PatchSpec:
    try:
        return PatchSpec.model_validate(meta["spec"])
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in ("spec", *problem["loc"]))
        raise InputError(f"'{folder / META}' is damaged: {where}: {problem['msg']}", "copy the model again") from error


def _write_weights(tensors: dict[str, torch.Tensor], file: Path) -> None:
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata={"format": "pt"})


def _forget_origin(folder: Path) -> None:
    """Take out where diffusers loaded a configuration from: a path on this machine is nobody's business."""
    for file in folder.glob("*/*.json"):
        config = json.loads(file.read_text())
        if config.pop("_name_or_path", None) is not None:
            file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _hash(net: NoiseNet, schedule: NoiseSchedule, spec: PatchSpec) -> str:
    architecture: Any = net.unet.config
    head = {
        "unet": {key: architecture[key] for key in _HASHED_ARCHITECTURE},
        "schedule": {key: schedule.config[key] for key in _HASHED_SCHEDULE},
        "stem": net.stem,
        # the stain reference's name is that of a slide: it says nothing about the model, and is not published
        "spec": spec.model_dump(mode="json", exclude={"stain": {"name"}}),
    }
    parts = [json.dumps(head, sort_keys=True, default=str).encode()]
    for name, value in sorted(net.unet.state_dict().items()):
        parts += [name.encode(), value.detach().cpu().float().numpy().tobytes()]
    return content_hash(parts)


def _refuse_pickles(folder: Path) -> None:
    if (folder / WEIGHTS).exists():
        return
    pickles = [*(folder / "unet").glob("*.bin"), *(folder / "unet").glob("*.p*t*"), *(folder / "unet").glob("*.ckpt")]
    if pickles:
        raise InputError(
            f"'{pickles[0]}' is a pickle, which can run any program when opened",
            "ask for the model as safetensors; diffusers' save_pretrained writes it",
        )
    raise InputError(f"central model '{folder}' has no {WEIGHTS}", "copy it again")


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        patterns = ["unet/*.json", "unet/*.safetensors", "scheduler/*.json", META, "README.md", "LICENSE", SUMS]
        with no_telemetry():
            folder = Path(snapshot_download(hub_id, allow_patterns=patterns))
    except Exception as error:
        raise InputError(
            f"'{hub_id}' could not be fetched: {first_line(error)}", "check the name and the network"
        ) from error
    if not (folder / META).exists():
        raise InputError(f"'{hub_id}' is not a central model: it has no {META}", "choose another")
    return folder
