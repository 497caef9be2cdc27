"""Nuclei of synthetic patches."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
import zarr
from tests.cells.decoding import FACTS, DecodingNet, encoded_picture
from tests.cells.maps import discs
from tests.diffusion.tiny import tiny_central, tiny_facts, tiny_targets

from napari_c2lst.cells import synthetic
from napari_c2lst.cells.facts import CellFacts
from napari_c2lst.cells.network import INPUT_PX, OUTPUT_PX, HoVerNet
from napari_c2lst.cells.postprocess import measure
from napari_c2lst.cells.segmenting import run
from napari_c2lst.cells.settings import CellsSettings
from napari_c2lst.cells.synthetic import PairsCellsResult, is_pairs, iter_patch_nuclei, patch_counts, patch_note
from napari_c2lst.cells.tiling import padded_size
from napari_c2lst.cells.weights import save_hovernet
from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.diffusion.conditions import plan_conditions
from napari_c2lst.diffusion.pairs import PAIRS_FILE, PairsFacts
from napari_c2lst.diffusion.pairs_writing import PairsWriter
from napari_c2lst.slides.patches.cutting import PatchSpec

SPOTS = 3


@pytest.fixture
def pairs(shared: Path, tmp_path: Path) -> Path:
    """A run folder with three patches of 192 px: encoded nuclei at 0.25 um/px."""
    facts = tiny_facts(tiny_central(), SPOTS)
    made = PairsFacts(
        slide="S1",
        training_ids=facts.training_ids,
        panel=facts.panel,
        spec=PatchSpec(patch_um=48, patch_px=192),
        central_hash="sha256:central",
        local_hash="sha256:local",
    )
    conditions = plan_conditions(tiny_targets(SPOTS), np.array(facts.training_ids), ratio=1)
    (tmp_path / "pairs").mkdir()
    writer = PairsWriter(tmp_path / "pairs" / PAIRS_FILE, conditions, made, seed=0)
    picture = encoded_picture(shared)
    writer.write(0, np.stack([picture[:192, x : x + 192] for x in (0, 192, 384)]))
    writer.finish()
    return tmp_path / "pairs"


@pytest.fixture(autouse=True)
def decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "NucleusNet", DecodingNet)


def cells(path: Path, weights: Path, reporter: Reporter | None = None, **values: Any) -> PairsCellsResult:
    settings = CellsSettings.resolve(slide=path, weights=str(weights), device="cpu", **values)
    result = run(settings, reporter or Reporter())
    assert isinstance(result, PairsCellsResult)
    return result


def test_counts_of_every_patch_beside_the_pairs(pairs: Path, weights: Path) -> None:
    result = cells(pairs, weights)
    assert result.out == pairs / "cells_decoding.zarr"
    table = anndata.read_zarr(result.out)
    assert table.shape == (3, 4)
    assert table.var_names.tolist() == list(FACTS.type_names)
    assert (table.obs["nuclei"] > 10).all()
    assert table.obs["nuclei"].sum() == result.nuclei == sum(result.types.values())
    np.testing.assert_allclose(table.layers["proportion"].sum(axis=1), 1, atol=1e-6)
    assert table.obs["source_a"].tolist() == ["spot0", "spot1", "spot2"]
    assert table.uns["c2lst"]["mpp"] == 0.25
    assert result.lines()[0].startswith(f"found {result.nuclei} nuclei in 3 patches in ")
    assert cells(pairs / PAIRS_FILE, weights, name="again").nuclei == result.nuclei


def test_nothing_is_written_over(pairs: Path, weights: Path) -> None:
    cells(pairs, weights)
    with pytest.raises(InputError, match="is there already"):
        cells(pairs, weights)


def numbers(result: PairsCellsResult) -> Any:
    return np.asarray(anndata.read_zarr(result.out).X)


def test_a_stop_keeps_what_was_counted_and_no_more(pairs: Path, weights: Path) -> None:
    before = sorted(p.name for p in pairs.iterdir())
    with pytest.raises(Stopped, match="after 1 of 3 patches"):
        cells(pairs, weights, RecordingReporter(stop_after=1), batch=1)
    assert sorted(p.name for p in pairs.iterdir() if not p.name.startswith(".")) == before
    reporter = RecordingReporter()
    result = cells(pairs, weights, reporter, batch=1)
    assert "going on after 1 of 3 patches" in reporter.messages
    whole = cells(pairs, weights, name="whole", batch=1)
    np.testing.assert_array_equal(numbers(result), numbers(whole))
    assert sorted(p.name for p in pairs.iterdir()) == sorted([*before, result.out.name, whole.out.name])


def test_a_stop_after_the_last_patch_is_none(pairs: Path, weights: Path) -> None:
    assert cells(pairs, weights, RecordingReporter(stop_after=1), batch=3).patches == 3


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_after_kill_9_nothing_is_lost(pairs: Path, weights: Path, root: Path) -> None:
    code = f"""
import sys, time, types
tests = sys.modules["tests"] = types.ModuleType("tests")  # some installed package has a folder of that name
tests.__path__ = [{str(root / "tests")!r}]
from tests.cells.decoding import DecodingNet
from napari_c2lst.cells import synthetic
from napari_c2lst.cells.segmenting import run
from napari_c2lst.cells.settings import CellsSettings
from napari_c2lst.common.reporter import Reporter
synthetic.NucleusNet = DecodingNet
class Slow(Reporter):
    def progress(self, done, total, what=""):
        print(done, flush=True)
        time.sleep(600 if done >= 2 else 0)
run(CellsSettings.resolve(slide={str(pairs)!r}, weights={str(weights)!r}, batch=1, device="cpu"), Slow())
"""
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
    assert child.stdout is not None
    while (line := child.stdout.readline()) and line.strip() != "2":
        pass
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    hidden = pairs / ".cells_decoding.zarr.part"
    assert sorted(p.name for p in hidden.glob("*.npz")) == ["0000000.npz", "0000001.npz"]
    assert not (pairs / "cells_decoding.zarr").exists()
    reporter = RecordingReporter()
    result = cells(pairs, weights, reporter, batch=1)
    assert "going on after 2 of 3 patches" in reporter.messages
    np.testing.assert_array_equal(numbers(result), numbers(cells(pairs, weights, name="whole", batch=1)))
    assert not hidden.exists()


@pytest.mark.parametrize("other", [{"resume": "never"}, {"batch": 2}, {"precision": "fp32"}, {"density": 0.7}])
def test_another_way_of_counting_begins_anew(pairs: Path, weights: Path, other: dict[str, Any]) -> None:
    with pytest.raises(Stopped):
        cells(pairs, weights, RecordingReporter(stop_after=1), batch=1)
    reporter = RecordingReporter()
    cells(pairs, weights, reporter, **{"batch": 1, **other})
    assert not [m for m in reporter.messages if "going on" in m]


def test_other_patches_of_the_same_name_begin_anew(pairs: Path, weights: Path) -> None:
    with pytest.raises(Stopped):
        cells(pairs, weights, RecordingReporter(stop_after=1), batch=1)
    stored: Any = zarr.open_group(pairs / PAIRS_FILE, mode="r+", use_consolidated=False)["obsm/patches"]
    stored[0] = 255
    reporter = RecordingReporter()
    result = cells(pairs, weights, reporter, batch=1)
    assert not [m for m in reporter.messages if "going on" in m]
    assert numbers(result)[0].sum() == 0


@pytest.mark.parametrize("option", [{"geojson": Path("x.geojson")}, {"scheduler": "tcp://x:1"}])
def test_options_for_slides_only(pairs: Path, weights: Path, option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is for slides"):
        cells(pairs, weights, **option)


def test_coarse_patches_are_said(pairs: Path, weights: Path) -> None:
    assert patch_note(0.25, FACTS) is None
    assert "enlarged 2.0 times" in str(patch_note(0.5, FACTS))
    assert "do not trust" in str(patch_note(1.75, FACTS))


def test_what_pairs_are(pairs: Path, tmp_path: Path) -> None:
    assert is_pairs(pairs)
    assert is_pairs(pairs / PAIRS_FILE)
    assert not is_pairs(tmp_path / "slide.zarr")
    (tmp_path / "run").mkdir()
    assert not is_pairs(tmp_path / "run")
    (tmp_path / "run" / "pairs.zarr.partial").mkdir()
    assert is_pairs(tmp_path / "run")  # and it is said that they are not complete


def test_patches_of_any_size_and_scale(shared: Path) -> None:
    """A patch at half the pixels has about the same nuclei; what is mirrored around it does not count."""
    net: Any = DecodingNet(type("M", (), {"facts": FACTS, "content_hash": ""})(), batch=2)
    picture = encoded_picture(shared)
    patches = np.stack([picture[:256, :256], picture[256:512, :256], picture[:256, 256:512]])
    fine = [len(n) for n in iter_patch_nuclei(net, patches, 0.25)]
    halves = patches.reshape(3, 128, 2, 128, 2, 3).mean(axis=(2, 4)).astype(np.uint8)
    coarse = [len(n) for n in iter_patch_nuclei(net, halves, 0.5)]
    assert min(fine) > 10
    np.testing.assert_allclose(coarse, fine, rtol=0.3)
    for nuclei in iter_patch_nuclei(net, patches, 0.25):
        assert (nuclei.centroid < 256).all()
        assert patch_counts(nuclei, FACTS).sum() == (nuclei.type > 0).sum()
    assert [len(n) for n in iter_patch_nuclei(net, patches[:, :24, :24], 0.25)]


def test_a_large_patch_is_shrunk_and_a_small_one_is_enlarged() -> None:
    patch = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for side, mode in ((32, "fast"), (160, "fast"), (64, "original")):
        seen = synthetic._enlarged(patch, side, mode)  # type: ignore[arg-type]
        near = (INPUT_PX[mode] - OUTPUT_PX[mode]) // 2
        assert len(seen) == padded_size(side, mode)  # type: ignore[arg-type]
        inner = seen[near : near + side, near : near + side]
        np.testing.assert_array_equal(seen[near - 8 : near, near : near + side], inner[:8][::-1])
        if side == 64:
            np.testing.assert_array_equal(inner, patch)


def test_without_types_every_nucleus_counts() -> None:
    nuclei = measure(discs((60, 60), [(15, 15), (40, 40)]), None)
    assert patch_counts(nuclei, CellFacts(mode="fast")).tolist() == [2]
    typed = measure(discs((60, 60), [(15, 15), (45, 40)]), np.repeat([0, 3], 30)[:, None].repeat(60, axis=1))
    assert patch_counts(typed, FACTS).tolist() == [0, 0, 1, 0]


def test_dark_patches_are_lightened_and_it_is_said(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    densities: list[Any] = []
    monkeypatch.setattr(DecodingNet, "densities", densities)
    light = FACTS.model_copy(update={"density": (0.3, 0.3, 0.3)})
    knowing = save_hovernet(HoVerNet("fast", 5, FACTS.width), light, tmp_path / "knowing.safetensors")
    reporter = RecordingReporter()
    cells(pairs, knowing, reporter)
    assert max(densities[-1]) < 1
    assert any("nuclei are darker than those" in m for m in reporter.messages)
    reporter = RecordingReporter()
    cells(pairs, knowing, reporter, name="given", density=0.9)
    assert densities[-1] == (0.9, 0.9, 0.9)
    assert not any("darker" in m for m in reporter.messages)
