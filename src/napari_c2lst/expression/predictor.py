"""The predictor: a fitted network together with all that is needed to use it, in one file.

`predictor.safetensors` holds the weights; its header holds, as versioned JSON, the network's architecture, the gene
panel, the patch specification, the training spots and where everything came from.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from napari_c2lst.common.device import autocast, halve_on_out_of_memory, resolve_device
from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.common.files import atomic_file, content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.slide import Slide

from .augment import TURNS, turned
from .facts import Arm as Arm
from .facts import PredictorFacts as PredictorFacts
from .networks import ExpressionNet, build_network, number_format

PREDICTOR_FILE = "predictor.safetensors"
PREDICTOR_VERSION = 1
_KEY = "c2lst_predictor"
# Pixels a thread of a CPU looks at together: activations of more leave its cache. ResNet-50 at 224 px took 35 ms a
# patch in fours, 55 in batches of 32.
_CACHED_PIXELS = 2**18


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted network and its facts.

    Attributes
    ----------
    net
        In evaluation mode, on `device`.
    facts
        What it knows and where it comes from.
    content_hash
        'sha256:...' of the file it was read from; empty before it is saved.
    """

    net: ExpressionNet
    facts: PredictorFacts
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype | None = None
    content_hash: str = ""
    _fits: list[int] = field(
        default_factory=list, init=False, repr=False
    )  # the halved batch, once memory was too small

    @property
    def panel(self) -> GenePanel:
        """The genes it predicts, in order, with their scale."""
        return self.facts.panel

    @property
    def spec(self) -> PatchSpec:
        """The patches it takes."""
        return self.facts.spec

    @property
    def training_ids(self) -> tuple[str, ...]:
        """The real spots that its training used."""
        return self.facts.training_ids

    @property
    def arm(self) -> Arm:
        """What it was trained on."""
        return self.facts.arm

    def predict(self, patches: NDArray[np.uint8], batch: int = 256, *, tta: bool = False) -> NDArray[np.float32]:
        """Predict expression.

        Parameters
        ----------
        patches
            (N, px, px, 3) uint8, of the size and stain of `spec`.
        batch
            Patches at a time at most; halved when the device's memory is too small, and then never more than fitted.
            A CPU sees fewer at a time, as many as its cache can hold.
        tta
            Average over the eight flips and quarter turns of each patch.

        Returns
        -------
        (N, d) float32 on the scale of targets; never negative, since no expression is.

        Raises
        ------
        MismatchError
            If the patches have other pixels than the predictor's.
        """
        return self.predict_with_spread(patches, batch, tta=tta)[0]

    def predict_with_spread(
        self,
        patches: NDArray[np.uint8],
        batch: int = 256,
        *,
        tta: bool = True,
        stained: Callable[[Tensor], Tensor] | None = None,
        reporter: Reporter | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict expression, and how much it changes when the patch is flipped and turned.

        Parameters
        ----------
        patches, batch, tta
            As in `predict`.
        stained
            Brings patches (n, px, px, 3) on the device to the stain of `spec`; None where that has been done.
        reporter
            Hears of batches that were too large.

        Returns
        -------
        mean, spread
            (N, d) float32 each. The spread is the standard deviation over the eight flips and quarter turns, which
            change no expression: it says how unsure the network is of what it sees there. It is not an error bar: it
            knows nothing of the noise of the counts, nor of what the network never saw. Zero without `tta`.
        """
        self._refuse_other_pixels(patches)
        parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        for start in range(0, len(patches), batch):
            most = min([self.at_once(batch), *self._fits])
            work = partial(self._chunk, patches[start : start + batch], most, tta=tta, stained=stained)
            parts.append(halve_on_out_of_memory(work, most, reporter or Reporter()))
        empty = np.zeros((0, len(self.panel)), np.float32)
        mean = np.concatenate([empty, *(m for m, _ in parts)])
        return mean, np.concatenate([empty, *(s for _, s in parts)])

    def at_once(self, batch: int) -> int:
        """How many patches of a batch are looked at together: on a CPU as many as its cache can hold, else all."""
        if self.device.type != "cpu":
            return batch
        return min(batch, max(1, _CACHED_PIXELS * torch.get_num_threads() // self.spec.patch_px**2))

    def _chunk(
        self,
        patches: NDArray[np.uint8],
        most: int,
        batch: int,
        *,
        tta: bool,
        stained: Callable[[Tensor], Tensor] | None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and spread of patches that are seen `batch` at a time; less than `most`, and it is remembered."""
        outputs = []
        for part in np.array_split(patches, -(-len(patches) // batch)):
            x = torch.from_numpy(part).to(self.device)
            outputs.append(self._forward(x if stained is None else stained(x), tta))
        mean, spread = (torch.cat(list(each)).cpu().numpy() for each in zip(*outputs, strict=True))
        if batch < most:
            self._fits[:] = [batch]
        return mean, spread

    @torch.inference_mode()
    def _forward(self, patches: Tensor, tta: bool) -> tuple[Tensor, Tensor]:
        x = patches.permute(0, 3, 1, 2)  # n 3 px px
        with autocast(self.device, self.dtype):
            seen = [self.net(turned(x, by)).float().clamp_min(0) for by in range(TURNS if tta else 1)]
        if len(seen) == 1:  # the spread of one is nothing, but took a seventh of the time
            return seen[0], torch.zeros_like(seen[0])
        spread, mean = torch.std_mean(torch.stack(seen), 0, correction=0)  # of turns n d
        return mean, spread

    def _refuse_other_pixels(self, patches: NDArray[np.uint8]) -> None:
        px = self.spec.patch_px
        if patches.dtype != np.uint8 or patches.shape[1:] != (px, px, 3):
            raise MismatchError(
                f"the predictor takes uint8 patches of {px} x {px} x 3, not {patches.dtype} of {patches.shape[1:]}",
                "read them with spot_patches(slide, yx, predictor.spec)",
            )

    def save(self, folder: Path) -> Path:
        """Write `predictor.safetensors` into a folder; the file is there whole or not at all."""
        from safetensors.torch import save_file

        body = {
            "version": PREDICTOR_VERSION,
            "architecture": self.net.architecture,
            "facts": self.facts.model_dump(mode="json"),
        }
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.net.state_dict().items()}
        with atomic_file(Path(folder) / PREDICTOR_FILE) as file:
            save_file(tensors, file, metadata={_KEY: json.dumps(body)})
        return Path(folder) / PREDICTOR_FILE

    def knows(self, slide: Slide) -> NDArray[np.bool_]:
        """Which spots of a slide were used in training; none, if it was trained on another slide.

        Barcodes repeat from slide to slide: ids count only where name or spots say that it is the same slide.

        Returns
        -------
        (N,) bool
        """
        spots = slide.require_spots()
        if self.facts.slide != slide.name and self.facts.spots_hash != spots_hash(spots):
            return np.zeros(len(spots), dtype=bool)
        return np.isin(spots.ids, self.training_ids)


def load_predictor(path: str | Path, *, device: str = "cpu", precision: str = "auto") -> Predictor:
    """Read a predictor.

    Parameters
    ----------
    path
        The run folder of `c2lst train`, or the file in it.
    device, precision
        Where and in which number format to compute.

    Raises
    ------
    InputError
        If there is none, it is a pickle, damaged, or of a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = find_predictor(Path(path))
    body = _read_header(file)
    try:
        facts = PredictorFacts.model_validate(body["facts"])
        net = build_network(body["architecture"], len(facts.panel))
        net.load_state_dict(load_file(file))
    except (KeyError, RuntimeError, ValidationError, SafetensorError) as error:
        raise InputError(
            f"the predictor '{file}' is damaged: {first_line(error)}", "copy it again, or train it again"
        ) from error
    where = resolve_device(device)
    net = net.eval().requires_grad_(False).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Predictor(
        net, facts, where, number_format(where, precision, net.architecture), content_hash([file.read_bytes()])
    )


def find_predictor(path: Path) -> Path:
    """The file of a predictor, from its run folder or from itself.

    Raises
    ------
    InputError
        If there is none.
    """
    file = path / PREDICTOR_FILE if path.is_dir() else path
    if file.is_file():
        if file.suffix in (".pt", ".pth", ".bin", ".pkl", ".ckpt"):
            raise InputError(f"'{file}' is a pickle, which may run code", f"give the {PREDICTOR_FILE} of 'c2lst train'")
        return file
    if path.is_dir() and (path / "config.toml").exists():
        raise InputError(f"the run '{path}' holds no predictor yet", "finish it: c2lst train ... --resume auto")
    raise InputError(f"there is no predictor '{path}'", "give the --out of 'c2lst train'")


def _read_header(file: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(_KEY)
    except SafetensorError as error:
        raise InputError(
            f"'{file}' is not a safetensors file: {error}", f"give the {PREDICTOR_FILE} of 'c2lst train'"
        ) from error
    if text is None:
        raise InputError(f"'{file}' holds no predictor", "give the --out of 'c2lst train'")
    body: dict[str, Any] = json.loads(text)
    if body.get("version") != PREDICTOR_VERSION:
        raise InputError(f"the predictor '{file}' has version {body.get('version')}", "update napari-c2lst")
    return body
