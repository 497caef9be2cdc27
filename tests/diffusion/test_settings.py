import subprocess
import sys
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.settings import TaskSettings
from napari_c2lst.diffusion.settings import AdaptSettings, SampleSettings

ADAPT = {"slide": "s.zarr", "out": "run"}
SAMPLE = {"slide": "s.zarr", "out": "pairs", "local": "run"}


def test_the_paper_preset_of_adapt_is_the_paper() -> None:
    s = AdaptSettings.resolve(**ADAPT, preset="paper")
    assert (s.steps, s.batch, s.accumulation) == (10_000, 32, 8)
    assert (s.learning_rate, s.weight_decay, s.ema, s.warmup, s.dropout) == (1e-3, 1e-4, 0.999, 0.03, 0.1)
    assert (s.genes, s.min_snr, s.embedding, s.blocks) == (250, 5.0, 128, "all")


def test_the_paper_preset_of_sample_is_the_paper() -> None:
    s = SampleSettings.resolve(**SAMPLE, preset="paper")
    assert (s.sampler, s.steps, s.guidance, s.eta, s.rescale, s.ratio) == ("ddim", 250, 3.0, 0.0, 0.0, 10)
    assert (s.guidance_low, s.guidance_high) == (0.0, 1.0)


def test_the_small_presets_fit_a_cpu() -> None:
    adapt = AdaptSettings.resolve(**ADAPT, preset="small")
    sample = SampleSettings.resolve(**SAMPLE, preset="small")
    assert (adapt.steps, adapt.batch, adapt.accumulation, adapt.embedding) == (300, 32, 1, 64)
    assert adapt.ema**adapt.steps < 0.01  # the average has forgotten the start
    assert (sample.sampler, sample.steps, sample.ratio) == ("dpm++2m", 20, 5)


@pytest.mark.parametrize("device", ["cpu"])
def test_the_preset_follows_the_device_and_explicit_values_win(device: str) -> None:
    s = AdaptSettings.resolve(**ADAPT, device=device, steps=7)
    assert (s.preset, s.steps, s.accumulation) == ("small", 7, 1)


@pytest.mark.parametrize(
    ("cls", "base", "wrong", "says"),
    [
        (AdaptSettings, ADAPT, {"steps": 0}, "steps = 0"),
        (AdaptSettings, ADAPT, {"dropout": 1.0}, "dropout = 1.0"),
        (AdaptSettings, ADAPT, {"dropout": 0.0}, "dropout 0 never trains the learned null"),
        (AdaptSettings, ADAPT, {"null": "none"}, "null = 'none'"),
        (AdaptSettings, ADAPT, {"spot": "train"}, "no setting 'spot'"),
        (SampleSettings, SAMPLE, {"guidance_low": 0.8, "guidance_high": 0.2}, "guidance_low 0.8 is not below"),
        (SampleSettings, SAMPLE, {"sampler": "euler"}, "sampler = 'euler'"),
        (SampleSettings, SAMPLE, {"steps": 2000}, "steps = 2000"),
        (SampleSettings, {"slide": "s"}, {}, "local is missing"),
    ],
)
def test_bad_values_are_refused_by_name(
    cls: type[TaskSettings], base: dict[str, Any], wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        cls.resolve(**base, preset="paper", **wrong)
    assert says in caught.value.message


def test_no_learned_null_needs_no_dropout() -> None:
    assert AdaptSettings.resolve(**ADAPT, preset="small", dropout=0.0, null="central").dropout == 0


@pytest.mark.parametrize("cls", [AdaptSettings, SampleSettings])
def test_every_field_has_help_and_the_slide_comes_as_an_argument(cls: type[TaskSettings]) -> None:
    infos = cls.fields_info()
    assert all(info.help for info in infos)
    assert [info.name for info in infos if info.positional] == ["slide"]
    assert all(set(values) <= set(cls.model_fields) for values in cls.presets.values())


def test_settings_load_no_torch() -> None:
    code = "import sys, napari_c2lst.diffusion.settings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
