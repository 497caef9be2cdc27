from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.expression.conftest import fit_settings, train_settings
from tests.expression.patches import coloured_patches

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.expression.fitting import count_steps, fit_predictor
from napari_c2lst.expression.networks import ExpressionNet
from napari_c2lst.expression.settings import FitSettings


def weights(net: ExpressionNet) -> dict[str, torch.Tensor]:
    return net.state_dict()


def same(a: ExpressionNet, b: ExpressionNet) -> bool:
    return all(torch.equal(weights(a)[k], weights(b)[k]) for k in weights(a))


def predict(net: ExpressionNet, patches: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return net(torch.from_numpy(patches).permute(0, 3, 1, 2)).numpy()


class TestSteps:
    def test_epochs_count_pairs_that_are_not_there(self) -> None:
        s = FitSettings.resolve(preset="paper", device="cpu", epochs=3, batch=32, count_as_ratio=10)
        assert count_steps(s, 70) == 3 * 25  # 770 / 32 = 24.1

    def test_steps_win_over_epochs(self) -> None:
        assert count_steps(fit_settings(steps=5, epochs=200), 70) == 5

    def test_all_arms_take_the_same_steps(self) -> None:
        s = fit_settings(steps=None, epochs=1, count_as_ratio=2, batch=8)
        real, synthetic = coloured_patches(8), coloured_patches(16, seed=1)
        taken = []
        for arm in ((real, None), (real, synthetic), (None, synthetic)):
            reporter = RecordingReporter()
            fit_predictor(*arm, s, reporter, n_real=8)
            taken.append(len(reporter.of_kind("progress")))
        assert taken == [3, 3, 3]

    def test_epochs_without_real_spots_cannot_be_counted(self) -> None:
        with pytest.raises(InputError, match="epochs cannot be counted without real spots"):
            fit_predictor(None, coloured_patches(8), fit_settings(steps=None), Reporter())


class TestFit:
    def test_it_learns_what_can_be_learnt(self) -> None:
        real = coloured_patches(60)
        new, truth = coloured_patches(30, seed=1)
        net = fit_predictor(
            real, None, fit_settings(steps=80, batch=16, dropout=0, jitter=0.02, learning_rate=2e-3), Reporter()
        )
        median = np.abs(truth - np.median(real[1], axis=0)).mean(axis=0)
        error = np.abs(predict(net, new) - truth).mean(axis=0)
        assert (error[:3] < 0.5 * median[:3]).all()
        assert error[3] < 1.3 * median[3]

    def test_it_starts_as_the_median_baseline(self) -> None:
        patches, targets = coloured_patches(9)
        # the first of many steps has a tiny rate: warm-up
        net = fit_predictor(
            (patches, targets), None, fit_settings(steps=1, learning_rate=1e-9, last_rate=0), Reporter()
        )
        np.testing.assert_allclose(predict(net, patches), np.tile(np.median(targets, axis=0), (9, 1)), atol=1e-5)

    def test_synthetic_pairs_are_used(self) -> None:
        """Real patches that say nothing, synthetic ones that say it all."""
        patches, targets = coloured_patches(40)
        shuffled = (patches[:12], np.random.default_rng(0).permutation(targets[:12]))
        new, truth = coloured_patches(30, seed=1)
        s = fit_settings(steps=60, batch=16, dropout=0, jitter=0.02, learning_rate=2e-3)
        errors = [
            np.abs(predict(fit_predictor(shuffled, pairs, s, Reporter()), new) - truth)[:, :3].mean()
            for pairs in (None, (patches, targets))
        ]
        assert errors[1] < 0.8 * errors[0]

    def test_real_and_synthetic_patches_are_treated_alike(self) -> None:
        """Order, augmentation and loss know no difference between the two kinds."""
        samples = coloured_patches(12)
        as_real = fit_predictor(samples, None, fit_settings(), Reporter())
        as_synthetic = fit_predictor(None, samples, fit_settings(), Reporter())
        assert same(as_real, as_synthetic)

    def test_the_mix_matters_only_with_both_kinds(self) -> None:
        real, synthetic = coloured_patches(8), coloured_patches(40, seed=1)
        fits = [fit_predictor(real, synthetic, fit_settings(mix=m), Reporter()) for m in ("pooled", "balanced")]
        assert not same(*fits)
        alone = [fit_predictor(real, None, fit_settings(mix=m), Reporter()) for m in ("pooled", "balanced")]
        assert same(*alone)

    def test_the_data_given_are_left_as_they_are(self) -> None:
        patches, targets = coloured_patches(12)
        patches.flags.writeable = targets.flags.writeable = False
        kept = patches.copy(), targets.copy()
        fit_predictor((patches, targets), None, fit_settings(steps=2), Reporter())
        assert np.array_equal(patches, kept[0])
        assert np.array_equal(targets, kept[1])

    def test_the_same_seed_gives_the_same_weights(self) -> None:
        real, synthetic = coloured_patches(12), coloured_patches(24, seed=1)
        first, again = (fit_predictor(real, synthetic, fit_settings(), Reporter()) for _ in range(2))
        other = fit_predictor(real, synthetic, fit_settings(seed=1), Reporter())
        assert same(first, again)
        assert not same(first, other)

    def test_the_callers_random_numbers_stay_his(self) -> None:
        torch.manual_seed(3)
        wanted = torch.rand(2)
        torch.manual_seed(3)
        fit_predictor(coloured_patches(8), None, fit_settings(), Reporter())
        assert torch.equal(torch.rand(2), wanted)

    def test_the_moving_average_is_what_is_kept(self) -> None:
        last, mean = (fit_predictor(coloured_patches(12), None, fit_settings(ema=e), Reporter()) for e in (0.0, 0.9))
        assert not same(last, mean)
        assert not mean.training
        assert not any(p.requires_grad for p in mean.parameters())

    def test_batch_normalisation_has_its_counts_averaged_too(self) -> None:
        architecture = {"name": "resnet50", "embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 1]}
        with pytest.MonkeyPatch.context() as patch:
            from napari_c2lst.expression import fitting

            build = fitting.build_network
            patch.setattr(
                fitting, "build_network", lambda _, genes, dropout: build(architecture, genes, dropout=dropout)
            )
            net = fit_predictor(coloured_patches(12, 32), None, fit_settings(ema=0.9, steps=3), Reporter())
        counts = [v for k, v in net.state_dict().items() if k.endswith("num_batches_tracked")]
        assert counts
        assert all(int(c) == 3 for c in counts)

    def test_bf16_is_close_to_fp32(self) -> None:
        samples = coloured_patches(12, 32)
        nets = [fit_predictor(samples, None, fit_settings(precision=p), Reporter()) for p in ("fp32", "bf16")]
        assert not same(*nets)
        np.testing.assert_allclose(*(predict(net, samples[0]) for net in nets), atol=0.05)

    def test_tiny_patches_are_learnt_in_fp32_on_a_cpu(self) -> None:
        """Of a convolution over one pixel oneDNN fills in a part of the bf16 gradient only: the rest is old memory."""
        reporter = RecordingReporter()
        samples = coloured_patches(12)
        nets = [fit_predictor(samples, None, fit_settings(precision=p), reporter) for p in ("fp32", "bf16")]
        assert same(*nets)
        assert [m for m in reporter.messages if "fp32" in m] == [
            "patches of 16 px are learnt in fp32: bf16 on a CPU needs at least 32 px"
        ]

    def test_loss_and_rate_are_told(self) -> None:
        reporter = RecordingReporter()
        fit_predictor(coloured_patches(12), None, fit_settings(steps=12), reporter)
        told = reporter.of_kind("metrics")
        assert [m["step"] for m in told] == [10, 12]
        assert told[-1]["values"]["rate"] == pytest.approx(1e-5)
        assert 0 < told[0]["values"]["loss"] < 3
        assert reporter.of_kind("progress")[-1] == {"done": 12, "total": 12, "what": "training steps"}


class TestInput:
    def test_nothing_to_learn_from(self) -> None:
        empty = (np.zeros((0, 16, 16, 3), np.uint8), np.zeros((0, 4), np.float32))
        for real in (None, empty):
            with pytest.raises(InputError, match="nothing to learn from"):
                fit_predictor(real, None, fit_settings(), Reporter())

    @pytest.mark.parametrize(
        "synthetic",
        [coloured_patches(4, px=8), (coloured_patches(4)[0], np.zeros((4, 3), np.float32))],
        ids=["px", "genes"],
    )
    def test_pairs_of_another_shape(self, synthetic: Any) -> None:
        with pytest.raises(InputError, match="do not fit together"):
            fit_predictor(coloured_patches(8), synthetic, fit_settings(), Reporter())

    def test_fewer_targets_than_patches(self) -> None:
        patches, targets = coloured_patches(8)
        with pytest.raises(InputError, match="do not fit together"):
            fit_predictor((patches, targets[:5]), None, fit_settings(), Reporter())


class TestResume:
    def open(self, folder: Path, reporter: Reporter) -> RunFolder:
        return RunFolder.open(
            train_settings(folder / "s.zarr", folder / "run", checkpoint_every=4), reporter, kind="train"
        )

    @pytest.mark.parametrize("stop_after", [1, 5])
    def test_ten_steps_are_five_and_five(self, tmp_path: Path, stop_after: int) -> None:
        real, synthetic = coloured_patches(12), coloured_patches(24, seed=1)
        s = fit_settings(steps=10, ema=0.9, checkpoint_every=4, dropout=0.5)
        whole = fit_predictor(real, synthetic, s, Reporter())
        reporter = RecordingReporter(stop_after=stop_after)
        run = self.open(tmp_path, reporter)
        with pytest.raises(Stopped, match=f"stopped at step {stop_after} of 10") as stopped:
            fit_predictor(real, synthetic, s, run.reporter, run)
        assert stopped.value.checkpoint is not None
        assert stopped.value.checkpoint.exists()
        assert "--resume auto" in stopped.value.hint
        again = RecordingReporter()
        run = self.open(tmp_path, again)
        resumed = fit_predictor(real, synthetic, s, run.reporter, run)
        assert same(whole, resumed)
        assert f"going on at step {stop_after} of 10" in again.messages
        assert len(again.of_kind("progress")) == 10 - stop_after

    def test_a_crash_goes_on_at_the_last_checkpoint(self, tmp_path: Path) -> None:
        class Crash(Reporter):
            def progress(self, done: int, total: int, what: str = "") -> None:
                if done == 7:
                    raise OSError("power cut")

        s = fit_settings(steps=10, checkpoint_every=4)
        run = self.open(tmp_path, Crash())
        with pytest.raises(OSError, match="power cut"):
            fit_predictor(coloured_patches(12), None, s, run.reporter, run)
        reporter = RecordingReporter()
        run = self.open(tmp_path, reporter)
        resumed = fit_predictor(coloured_patches(12), None, s, run.reporter, run)
        assert "going on at step 4 of 10" in reporter.messages
        assert same(resumed, fit_predictor(coloured_patches(12), None, s, Reporter()))

    def test_a_checkpoint_of_another_fit_is_refused(self, tmp_path: Path) -> None:
        run = self.open(tmp_path, RecordingReporter(stop_after=2))
        with pytest.raises(Stopped):
            fit_predictor(coloured_patches(12), None, fit_settings(steps=10), run.reporter, run)
        run = self.open(tmp_path, Reporter())
        with pytest.raises(MismatchError, match="of a training of 10 steps, not 20"):
            fit_predictor(coloured_patches(12), None, fit_settings(steps=20), run.reporter, run)
        patches, targets = coloured_patches(12)
        with pytest.raises(MismatchError, match="another number of genes"):
            fit_predictor((patches, targets[:, :2]), None, fit_settings(steps=10), run.reporter, run)

    def test_the_time_it_takes_is_said_before(self, tmp_path: Path) -> None:
        reporter = RecordingReporter()
        run = self.open(tmp_path, reporter)
        with_estimate = fit_predictor(coloured_patches(12), None, fit_settings(), run.reporter, run)
        assert any(m.startswith("6 steps take about ") for m in reporter.messages)
        # the trial step behind the estimate leaves no trace
        assert same(with_estimate, fit_predictor(coloured_patches(12), None, fit_settings(), Reporter()))

    def test_without_a_run_folder_a_stop_just_stops(self) -> None:
        with pytest.raises(Stopped) as stopped:
            fit_predictor(coloured_patches(8), None, fit_settings(), RecordingReporter(stop_after=2))
        assert stopped.value.checkpoint is None


def test_out_of_memory_halves_the_batch_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = ExpressionNet.forward

    def small_device(self: ExpressionNet, patches: torch.Tensor) -> torch.Tensor:
        if len(patches) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, patches)

    whole = fit_predictor(coloured_patches(12), None, fit_settings(dropout=0), Reporter())
    monkeypatch.setattr(ExpressionNet, "forward", small_device)
    reporter = RecordingReporter()
    halved = fit_predictor(coloured_patches(12), None, fit_settings(dropout=0), reporter)
    assert reporter.messages == ["out of memory with a batch of 8: going on with 4"]  # once, not at every step
    patches, _ = coloured_patches(4)
    np.testing.assert_allclose(predict(whole, patches), predict(halved, patches), atol=1e-3)
