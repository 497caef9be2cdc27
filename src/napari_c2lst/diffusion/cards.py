"""The model card beside a central model's weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_c2lst.common.files import atomic_file

from .central import CentralModel
from .unet import count_parameters

TEMPLATE = """# {name}: a central model of C2L-ST

An unconditional denoising diffusion model of H&E histology; it has seen no gene expression.
Adapt it to a slide with `c2lst adapt SLIDE --central FOLDER`.

| | |
|---|---|
| patches | {patch_um:g} x {patch_um:g} um, {patch_px} x {patch_px} px ({um_px:.3f} um/px) |
| stain | {stain} |
| network | diffusers UNet2DModel, {parameters:.2f} M parameters, space-to-depth {stem} |
| noise | T = {steps_noise}, cosine; the network predicts {predicts}; min-SNR weighted loss |
| learned from | {learned} |
| training | {training} |
| content hash | `{content_hash}` |
| licence | {licence} |

Method: C2L-ST, arXiv 2603.26827. {retrain}
Not a medical device; synthetic patches are not tissue of any patient.
"""


def write_card(central: CentralModel, folder: Path, *, retrain: str = "Retrain with `c2lst pretrain`.") -> Path:
    """Write `README.md` into a central model's folder."""
    facts = central.facts
    stain = central.spec.stain
    text = TEMPLATE.format(
        name=central.name,
        patch_um=central.spec.patch_um,
        patch_px=central.spec.patch_px,
        um_px=central.spec.patch_um / central.spec.patch_px,
        stain="as scanned" if stain is None else f"normalised to one reference, {stain.method}",
        parameters=count_parameters(central.net) / 1e6,
        stem=central.net.stem,
        steps_noise=len(central.schedule),
        predicts="the noise" if central.schedule.velocity_alphas is None else "velocity, turned into noise",
        learned=_learned(facts),
        training=_training(facts),
        content_hash=central.content_hash,
        licence=_cell(facts.get("licence")),
        retrain=retrain,
    )
    path = folder / "README.md"
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _learned(facts: Mapping[str, Any]) -> str:
    tiles = facts.get("tiles")
    return _cell(facts.get("data")) if tiles is None else f"{tiles} tiles: {_cell(facts.get('data'))}"


def _training(facts: Mapping[str, Any]) -> str:
    steps, batch, loss = (facts.get(key) for key in ("steps", "batch", "loss"))
    if steps is None:
        return _cell(None)
    shown = f"{steps} steps" if batch is None else f"{steps} steps of {batch} patches"
    return shown if loss is None else f"{shown}, mean loss of the last 100 steps {loss}"


def _cell(text: Any) -> str:
    """What the user wrote, so that it stays in its cell of the table."""
    return " ".join(str(text or "not stated").split()).replace("|", "\\|")
