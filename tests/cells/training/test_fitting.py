from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.cells.training.nuclei import cell_settings, disc_folder

from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.training.batches import Windows, make_phases
from napari_c2lst.cells.training.datasets import find_cell_data
from napari_c2lst.cells.training.fitting import CellFit, build, rate_of
from napari_c2lst.common.errors import DeviceMemoryError, RunFailure, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.common.runs import RunFolder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disc_folder(tmp_path_factory.mktemp("discs"), train=2, test=0)


def fit(data: Path, out: Path, reporter: Reporter | None = None, **values: object) -> CellFit:
    settings = cell_settings(data, out, **values)
    folder = RunFolder.open(settings, reporter or Reporter(), kind="train-cells")
    start = HoVerNet("fast", 3, 0.0625) if settings.weights else None
    return CellFit(Windows(find_cell_data(settings.data, "train"), settings), 3, settings, folder, start)


def same(a: HoVerNet, b: HoVerNet) -> bool:
    one, two = a.state_dict(), b.state_dict()
    return all(torch.equal(one[k], two[k]) for k in one)


# an image of 120 px counts as 4 windows of 104: 8 an epoch, 4 steps of 2
@pytest.mark.parametrize("parts", [1, 2])
def test_a_stop_changes_nothing(data: Path, tmp_path: Path, parts: int) -> None:
    unbroken = fit(data, tmp_path / "a", ema=0.9, parts=parts).train()
    first = fit(data, tmp_path / "b", RecordingReporter(stop_after=4), ema=0.9, parts=parts)
    with pytest.raises(Stopped, match="stopped after step 4") as stopped:
        first.train()
    assert stopped.value.checkpoint is not None
    second = fit(data, tmp_path / "b", ema=0.9, parts=parts)
    assert second.step == 4
    assert same(second.train(), unbroken)
    assert second.step == 8


def test_a_stop_in_the_first_phase_changes_nothing(data: Path, tmp_path: Path) -> None:
    how = {"epochs": (1, 1), "weights": Path("w"), "rate_schedule": "step"}
    torch.manual_seed(3)
    start = HoVerNet("fast", 3, 0.0625)

    def started(out: str, reporter: Reporter | None = None) -> CellFit:
        s = cell_settings(data, tmp_path / out, **how)
        folder = RunFolder.open(s, reporter or Reporter(), kind="train-cells")
        return CellFit(Windows(find_cell_data(s.data, "train"), s), 3, s, folder, start)

    unbroken = started("a").train()
    with pytest.raises(Stopped):
        started("b", RecordingReporter(stop_after=2)).train()
    assert same(started("b").train(), unbroken)


def test_it_learns(data: Path, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    fit(
        data, tmp_path / "run", reporter, epochs=(0, 10), learning_rate=5e-3, colour=0.0, scale=0.0, degraded_share=0.0
    ).train()
    rows = [m["values"] for m in reporter.of_kind("metrics")]
    assert len(rows) == 40
    classes = [row["np_bce"] + row["tp_bce"] for row in rows]
    assert sum(classes[-8:]) < 0.9 * sum(classes[:8])
    first = rows[0]
    assert first["loss"] == pytest.approx(sum(first[k] for k in first if "_" in k and k != "mean_loss"))


def test_the_first_phase_leaves_the_encoder_alone(data: Path, tmp_path: Path) -> None:
    run = fit(data, tmp_path / "run", RecordingReporter(stop_after=3), epochs=(1, 1), weights=Path("w"))
    before = [p.detach().clone() for p in run.net.encoder_parameters()]
    decoder = run.net.conv_bot.weight.detach().clone()
    with pytest.raises(Stopped):
        run.train()
    assert all(torch.equal(a, b) for a, b in zip(before, run.net.encoder_parameters(), strict=True))
    assert not torch.equal(decoder, run.net.conv_bot.weight)
    run = fit(data, tmp_path / "run", epochs=(1, 1), weights=Path("w"))
    run.train()
    assert not all(torch.equal(a, b) for a, b in zip(before, run.net.encoder_parameters(), strict=True))


def test_the_second_phase_begins_with_a_fresh_optimiser(data: Path, tmp_path: Path) -> None:
    run = fit(data, tmp_path / "run", RecordingReporter(stop_after=5), epochs=(1, 1))
    with pytest.raises(Stopped):
        run.train()
    counts = {int(state["step"]) for state in run.optimizer.state.values()}
    assert counts == {1}


def test_the_average_is_what_is_kept(data: Path, tmp_path: Path) -> None:
    run = fit(data, tmp_path / "run", ema=0.9)
    kept = run.train()
    assert all(torch.equal(kept.state_dict()[k], v) for k, v in run.average.items())
    assert not kept.training


def test_a_loss_that_is_no_number_stops_the_run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fit(data, tmp_path / "run")
    before = run.net.conv_bot.weight.detach().clone()

    def broken(maps: dict[str, torch.Tensor], _: object) -> dict[str, torch.Tensor]:
        return {"np": sum(m.sum() for m in maps.values()) * float("nan")}

    monkeypatch.setattr("napari_c2lst.cells.training.fitting.hovernet_losses", broken)
    with pytest.raises(RunFailure, match="not numbers at step 1"):
        run.train()
    assert torch.equal(before, run.net.conv_bot.weight)


def test_too_little_memory_says_what_to_do(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fit(data, tmp_path / "run", batch=(8, 4))

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("napari_c2lst.cells.training.fitting.hovernet_losses", full)
    with pytest.raises(DeviceMemoryError, match="with a batch of 4 / use --batch 4,2"):
        run.train()


class TestBuild:
    def test_the_seed_decides(self) -> None:
        nets = [build(cell_settings(Path("d"), Path("o"), seed=s), 3, None) for s in (0, 0, 1)]
        assert same(nets[0], nets[1])
        assert not same(nets[0], nets[2])

    def test_the_callers_random_numbers_stay_his(self) -> None:
        torch.manual_seed(0)
        expected = torch.rand(1)
        torch.manual_seed(0)
        build(cell_settings(Path("d"), Path("o")), 3, None)
        assert torch.equal(torch.rand(1), expected)

    def test_weights_of_other_types_are_taken_but_for_the_last_layer(self) -> None:
        start = HoVerNet("fast", 6, 0.0625)
        net = build(cell_settings(Path("d"), Path("o")), 3, start)
        assert torch.equal(net.conv_bot.weight, start.conv_bot.weight)
        assert torch.equal(net.decoder["tp"].u3.conva.weight, start.decoder["tp"].u3.conva.weight)
        assert net.decoder["tp"].u0.conv.weight.shape[0] == 3


class TestRate:
    def rates(self, **values: object) -> list[float]:
        s = cell_settings(Path("d"), Path("o"), epochs=(4, 4), batch=(1, 1), learning_rate=1e-3, **values)
        return [rate_of(s, p, step) for p in make_phases(s, 5) for step in range(p.begin, p.end)]

    def test_a_tenth_in_the_second_half_of_each_phase(self) -> None:
        rates = self.rates(rate_schedule="step")
        assert rates == ([1e-3] * 10 + [1e-4] * 10) * 2

    def test_a_cosine_ends_low(self) -> None:
        rates = self.rates(rate_schedule="cosine", warmup=0.1)
        assert rates[0] < rates[1] == max(rates)
        assert rates[19] == pytest.approx(1e-5)
