import numpy as np
import pytest
import torch
from tests.diffusion.tiny import GENES, PX, tiny_central, tiny_modulation

from napari_c2lst.common.device import autocast_dtype
from napari_c2lst.diffusion.central import CentralModel
from napari_c2lst.diffusion.guidance import Guidance
from napari_c2lst.diffusion.samplers import Engine, Patches, iter_sample, sample, sample_central
from napari_c2lst.diffusion.solvers import SamplingPlan

CPU = torch.device("cpu")
PLAN = SamplingPlan("dpm++2m", 3)
CONDITIONS = np.random.default_rng(0).normal(size=(11, GENES)).astype(np.float32)


@pytest.fixture(scope="module")
def central() -> CentralModel:
    return tiny_central()


def _draw(
    central: CentralModel, batch: int, plan: SamplingPlan = PLAN, *, seed: int = 5, dtype: torch.dtype | None = None
) -> Patches:
    """All eleven, `batch` at a time."""
    engine = Engine(central, CPU, dtype, micro_batch=8)
    modulation = tiny_modulation(central, learned=True)
    parts = [
        sample(engine, modulation, CONDITIONS[i : i + batch], plan, seed=seed, first=i)
        for i in range(0, len(CONDITIONS), batch)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("plan", "dtype"),
    [
        (PLAN, None),
        (PLAN, torch.bfloat16),
        (SamplingPlan("unipc", 2), None),
        (SamplingPlan("ddim", 2, eta=1.0), None),
        (SamplingPlan("dpm++2m", 6, Guidance(3.0, 0.3, 0.9, 0.7)), None),
    ],
)
def test_a_patch_is_the_same_bit_for_bit_whatever_the_batch_size(
    central: CentralModel, plan: SamplingPlan, dtype: torch.dtype | None
) -> None:
    whole = _draw(central, 11, plan, dtype=dtype)
    assert whole.shape == (11, PX, PX, 3)
    assert whole.dtype == np.uint8
    for batch in (1, 3, 8):
        assert np.array_equal(whole, _draw(central, batch, plan, dtype=dtype))


def test_seed_index_and_condition_each_make_another_patch(central: CentralModel) -> None:
    whole = _draw(central, 11)
    assert not np.array_equal(whole, _draw(central, 11, seed=6))
    engine, modulation = Engine(central, CPU), tiny_modulation(central, learned=True)
    same = np.repeat(CONDITIONS[:1], 2, axis=0)
    twins = sample(engine, modulation, same, PLAN, seed=5)
    assert not np.array_equal(twins[0], twins[1])
    other = sample(engine, modulation, same + 3, PLAN, seed=5)
    assert not np.array_equal(twins, other)


def test_without_guidance_a_central_null_draws_what_the_central_model_draws(central: CentralModel) -> None:
    modulation = tiny_modulation(central, "central", learned=True)
    nothing, plain = SamplingPlan("dpm++2m", 2, Guidance(0.0)), SamplingPlan("dpm++2m", 2, Guidance(1.0))
    theirs = sample_central(central, 4, seed=1, plan=plain, precision="fp32").astype(int)
    ours = sample(Engine(central, CPU), modulation, CONDITIONS[:4], nothing, seed=1).astype(int)
    # 2 x 16 rows against 16: equal up to rounding
    assert np.abs(ours - theirs).max() <= 1
    conditional = sample(Engine(central, CPU), modulation, CONDITIONS[:4], plain, seed=1).astype(int)
    assert np.abs(conditional - theirs).max() > 10


def test_a_fresh_local_model_draws_what_the_central_model_draws(central: CentralModel) -> None:
    conditional = SamplingPlan("dpm++2m", 3, Guidance(1.0))
    ours = sample(Engine(central, CPU), tiny_modulation(central), CONDITIONS, conditional, seed=2)
    theirs = sample_central(central, len(CONDITIONS), seed=2, plan=conditional, precision="fp32")
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("n", [0, 1, 16, 17])
def test_a_central_model_alone_draws_as_many_as_asked(central: CentralModel, n: int) -> None:
    drawn = sample_central(central, n, seed=3, plan=SamplingPlan("dpm++2m", 2))
    assert drawn.shape == (n, PX, PX, 3)
    assert np.array_equal(drawn[:1], sample_central(central, 1, seed=3, plan=SamplingPlan("dpm++2m", 2))[:n])


def test_streaming_goes_in_micro_batches_cut_at_fixed_places(central: CentralModel) -> None:
    engine, modulation = Engine(central, CPU, micro_batch=4), tiny_modulation(central, learned=True)
    parts = list(iter_sample(engine, modulation, CONDITIONS[:7], PLAN, seed=5, first=2))
    assert [(start, len(patches)) for start, patches in parts] == [(2, 2), (4, 4), (8, 1)]
    whole = sample(engine, modulation, CONDITIONS[:7], PLAN, seed=5, first=2)
    assert np.array_equal(np.concatenate([patches for _, patches in parts]), whole)


def test_sampling_leaves_the_network_as_it_was(central: CentralModel) -> None:
    before = {name: value.clone() for name, value in central.net.state_dict().items()}
    sample(Engine(central, CPU), tiny_modulation(central, learned=True), CONDITIONS, PLAN, seed=0)
    assert all(torch.equal(before[name], value) for name, value in central.net.state_dict().items())
    assert not any(module._forward_hooks for module in central.net.modules())


def test_both_branches_are_one_evaluation_and_outside_the_interval_one_branch_is(central: CentralModel) -> None:
    rows: list[int] = []
    handle = central.net.register_forward_hook(lambda _m, inputs, _out: rows.append(len(inputs[0])))
    plan = SamplingPlan("dpm++2m", 8, Guidance(3.0, 0.3, 0.9))
    sample(Engine(central, CPU, micro_batch=4), tiny_modulation(central), CONDITIONS[:2], plan, seed=0)
    handle.remove()
    assert sorted(set(rows)) == [4, 8]
    assert sum(rows) // 4 == plan.evaluations(central.schedule)


def test_the_number_format_follows_the_device(central: CentralModel) -> None:
    assert autocast_dtype(CPU, "fp32") is None
    bf16, fp32 = _draw(central, 11, dtype=torch.bfloat16), _draw(central, 11)
    assert not np.array_equal(bf16, fp32)
    assert np.abs(bf16.astype(int) - fp32.astype(int)).mean() < 3
