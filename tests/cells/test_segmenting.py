"""`c2lst cells` on a slide, from the image to what is in the store."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import shapely
import spatialdata
from numpy.typing import NDArray
from tests.cells.decoding import FACTS, DecodingNet, encoded_picture, use_decoding
from tests.cells.matching import matched
from tests.cells.slides import SPOTS_UM, make_tissue_store, tissue_picture

from napari_c2lst.cells import segmenting
from napari_c2lst.cells.density import AS_IT_IS
from napari_c2lst.cells.facts import Density
from napari_c2lst.cells.found import joined
from napari_c2lst.cells.joining import polygons, stitched
from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.segmenting import CellsResult, run
from napari_c2lst.cells.settings import CellsSettings
from napari_c2lst.cells.spreading import here
from napari_c2lst.cells.tiling import tissue_tiling
from napari_c2lst.cells.weights import save_hovernet
from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.slides.opening import open_slide

NAME = "c2lst_cells_decoding"


@pytest.fixture(autouse=True)
def decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    use_decoding(monkeypatch)


def cells(slide: Path, weights: Path, reporter: Reporter | None = None, **values: Any) -> CellsResult:
    explicit = {"tile_px": 256, "batch": 2, "workers": 2, "device": "cpu", **values}
    result = run(CellsSettings.resolve(slide=slide, weights=str(weights), **explicit), reporter or Reporter())
    assert isinstance(result, CellsResult)
    return result


class TestWhatIsWritten:
    def test_polygons_table_and_composition(self, store: Path, weights: Path, shared: Path) -> None:
        result = cells(store, weights)
        assert result.elements == (NAME, f"{NAME}_table", "c2lst_composition_decoding")
        assert (result.tiles, result.bad_tiles, result.exit_code) == (9, 0, 0)
        sdata = spatialdata.read_zarr(store)
        shapes, table = sdata.shapes[NAME], sdata.tables[f"{NAME}_table"]
        truth = len(np.unique(tissue_picture(shared, "inst"))) - 1
        assert 0.75 * truth < len(shapes) < 1.1 * truth
        assert len(shapes) == len(table) == result.nuclei == sum(result.types.values())
        assert (shapes.geom_type == "Polygon").all()
        obs = table.obs
        np.testing.assert_array_equal(obs["cell"], shapes.index)
        centres = shapes.geometry.centroid
        np.testing.assert_allclose(obs["x"], centres.x, atol=2.5)
        np.testing.assert_allclose(obs["y"], centres.y, atol=2.5)
        np.testing.assert_allclose(obs["area_um2"], shapes.area * 0.25**2, rtol=0.25)
        assert set(obs["type"].astype(str)) == {"inflammatory", "epithelial"}
        assert obs["type_prob"].between(0, 1).all()
        assert table.uns["spatialdata_attrs"]["region"] == NAME
        assert table.uns["c2lst"]["kind"] == "cells"
        assert list(table.uns["c2lst"]["type_names"]) == list(FACTS.type_names)
        np.testing.assert_array_equal(np.asarray(table.X.sum(axis=0)).ravel(), list(result.types.values()))

    def test_composition_counts_what_lies_in_the_spots(self, store: Path, weights: Path) -> None:
        cells(store, weights)
        sdata = spatialdata.read_zarr(store)
        obs, composition = sdata.tables[f"{NAME}_table"].obs, sdata.tables["c2lst_composition_decoding"]
        for row, (y, x) in enumerate(SPOTS_UM):
            inside = np.hypot(obs["x"] * 0.25 - x, obs["y"] * 0.25 - y) <= 27.5
            assert composition.obs["nuclei"].iloc[row] == inside.sum() > 10
            for kind in ("inflammatory", "epithelial"):
                assert composition[row, kind].X[0, 0] == (inside & (obs["type"] == kind)).sum()
        assert composition.obs["spot"].tolist() == ["spot0", "spot1", "spot2"]

    def test_what_the_user_has_is_left_alone(self, store: Path, weights: Path) -> None:
        before = {p: p.read_bytes() for part in ("images", "shapes", "tables") for p in (store / part).rglob("*.*")}
        cells(store, weights)
        cells(store, weights)  # in place of the first
        kept = {p: b for p, b in before.items() if "c2lst" not in str(p) and p.is_file()}
        assert all(p.read_bytes() == b for p, b in kept.items() if p.parent.name not in ("images", "shapes", "tables"))
        assert [p.name for p in store.parent.iterdir()] == [store.name]

    def test_geojson_has_the_same_nuclei(self, store: Path, weights: Path, tmp_path: Path) -> None:
        result = cells(store, weights, geojson=tmp_path / "nuclei.geojson")
        assert (tmp_path / "nuclei.geojson").read_text().count('"objectType": "detection"') == result.nuclei
        assert f"written: {tmp_path / 'nuclei.geojson'}" in result.lines()

    def test_a_slide_without_spots_and_with_a_scaled_system(self, shared: Path, weights: Path, tmp_path: Path) -> None:
        from PIL import Image

        Image.fromarray(encoded_picture(shared)).save(tmp_path / "plain.png")
        result = cells(tmp_path / "plain.png", weights, mpp=0.25)
        assert result.store == tmp_path / "plain.zarr"
        assert result.elements == (NAME, f"{NAME}_table")
        scaled = make_tissue_store(encoded_picture(shared), tmp_path / "scaled.zarr", scale=2.0)
        assert cells(scaled, weights).nuclei == result.nuclei
        shapes = spatialdata.read_zarr(scaled).shapes[NAME]
        there = spatialdata.transform(shapes, to_coordinate_system="global")
        assert there.total_bounds[2] == pytest.approx(2 * shapes.total_bounds[2])
        assert shapes.total_bounds[2] < 768.5

    def test_enlarging_is_said(self, shared: Path, weights: Path, tmp_path: Path) -> None:
        reporter = RecordingReporter()
        coarse = make_tissue_store(encoded_picture(shared), tmp_path / "coarse.zarr", mpp=0.5)
        cells(coarse, weights, reporter)
        assert "for tests" in reporter.messages
        assert any("enlarged 2.0 times, which takes 4.0 times as long" in m for m in reporter.messages)


class TestTilesDoNotMatter:
    @pytest.mark.parametrize(("core", "shift"), [(256, (8, 16)), (256, (128, 72)), (128, (0, 0)), (192, (64, 8))])
    def test_another_grid_gives_the_same_nuclei(self, encoded_once: Path, core: int, shift: tuple[int, int]) -> None:
        slide = open_slide(encoded_once)
        net = DecodingNet(type("M", (), {"facts": FACTS, "content_hash": ""})())

        def nuclei(core: int, shift: tuple[int, int]) -> NDArray[Any]:
            tiles, _ = tissue_tiling(slide, "fast", 0.25, core, shift)
            done = here(net, slide, tiles, list(enumerate(tiles.groups(3))), 2, Reporter())  # type: ignore[arg-type]
            return polygons(stitched(joined([found for _, found, _ in done])))

        one, other = nuclei(256, (0, 0)), nuclei(core, shift)
        assert len(one) > 350
        assert min(matched(one, other), matched(other, one)) >= 0.99

    def test_workers_and_batches_change_nothing(self, store: Path, weights: Path) -> None:
        tables = []
        for name, settings in (("a", {"workers": 1}), ("b", {"workers": 8}), ("c", {"batch": 5})):
            cells(store, weights, name=name, **settings)
            sdata = spatialdata.read_zarr(store)
            tables.append((sdata.shapes[f"c2lst_cells_{name}"], sdata.tables[f"c2lst_cells_{name}_table"].obs))
        for shapes, obs in tables[1:]:
            assert shapely.equals_exact(shapes.geometry.to_numpy(), tables[0][0].geometry.to_numpy()).all()
            np.testing.assert_array_equal(obs["type_prob"], tables[0][1]["type_prob"])


class TestGoingOn:
    def test_after_a_stop(self, store: Path, weights: Path) -> None:
        with pytest.raises(Stopped, match="after 4 of 9 tiles"):
            cells(store, weights, RecordingReporter(stop_after=2))
        assert NAME not in spatialdata.read_zarr(store).shapes
        reporter = RecordingReporter()
        result = cells(store, weights, reporter)
        assert "going on after 4 of 9 tiles" in reporter.messages
        assert [e["done"] for e in reporter.of_kind("progress")] == [6, 8, 9]
        whole = cells(store, weights, name="whole", resume="never")
        assert result.nuclei == whole.nuclei
        sdata = spatialdata.read_zarr(store)
        pair = [sdata.shapes[n].geometry.to_numpy() for n in (NAME, "c2lst_cells_whole")]
        assert shapely.equals_exact(*pair).all()
        assert [p.name for p in store.parent.iterdir()] == [store.name]

    def test_never_begins_anew(self, store: Path, weights: Path) -> None:
        with pytest.raises(Stopped):
            cells(store, weights, RecordingReporter(stop_after=1))
        reporter = RecordingReporter()
        cells(store, weights, reporter, resume="never")
        assert not [m for m in reporter.messages if "going on" in m]

    @pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
    def test_after_kill_9_nothing_is_lost(self, store: Path, weights: Path, tmp_path: Path, root: Path) -> None:
        code = f"""
import sys, time, types
import pytest
tests = sys.modules["tests"] = types.ModuleType("tests")  # some installed package has a folder of that name
tests.__path__ = [{str(root / "tests")!r}]
from tests.cells.decoding import DecodingNet, use_decoding
from napari_c2lst.cells.segmenting import run
from napari_c2lst.cells.settings import CellsSettings
from napari_c2lst.common.reporter import Reporter
use_decoding(pytest.MonkeyPatch())
class Slow(Reporter):
    def progress(self, done, total, what=""):
        print(done, flush=True)
        time.sleep(600 if done >= 4 else 0)
run(CellsSettings.resolve(slide={str(store)!r}, weights={str(weights)!r}, tile_px=256, batch=2, device="cpu"), Slow())
"""
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert child.stdout is not None
        while (line := child.stdout.readline()) and line.strip() != "4":
            pass
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        hidden = store.with_name(f".{store.name}.decoding.cells.part")
        assert len(list(hidden.glob("*.npz"))) >= 2
        stamps = {p.name: p.stat().st_mtime_ns for p in hidden.glob("0*.npz")}
        with pytest.raises(Stopped):
            cells(store, weights, RecordingReporter(stop_after=1))
        assert {n: (hidden / n).stat().st_mtime_ns for n in stamps} == stamps  # none was done again
        reporter = RecordingReporter()
        result = cells(store, weights, reporter)
        assert any(m.startswith("going on after") for m in reporter.messages)
        assert cells(store, weights, name="whole").nuclei == result.nuclei

    def test_other_weights_or_tiles_begin_anew(self, store: Path, weights: Path) -> None:
        with pytest.raises(Stopped):
            cells(store, weights, RecordingReporter(stop_after=1))
        reporter = RecordingReporter()
        cells(store, weights, reporter, tile_px=384)
        assert not [m for m in reporter.messages if "going on" in m]


def break_chunks(store: Path, *names: str) -> None:
    """Overwrite stored chunks of the image."""
    for name in names:
        (chunk,) = store.glob(f"images/image/*/c/0/{name}") or store.glob(f"images/image/0/0/{name}")
        chunk.write_bytes(b"torn")


class TestBadInput:
    def test_tiles_that_cannot_be_read_are_left_out_and_said(self, store: Path, weights: Path) -> None:
        break_chunks(store, "5/5")
        result = cells(store, weights)
        assert 0 < result.bad_tiles < result.tiles == 9
        assert result.exit_code == 1
        assert f"{result.bad_tiles} of 9 tiles could not be read and have no nuclei" in result.lines()[-1]
        assert "cannot be read" in result.first_fault
        table = spatialdata.read_zarr(store).tables[f"{NAME}_table"]
        assert table.uns["c2lst"]["bad_tiles"] == result.bad_tiles
        assert not ((table.obs["x"] > 560) & (table.obs["y"] > 560)).any()
        assert (table.obs["x"] < 200).sum() > 50

    def test_the_exit_code_says_so(self, store: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from napari_c2lst.cli.main import run as command

        break_chunks(store, "5/5")
        arguments = [
            "cells",
            str(store),
            "--weights",
            str(weights),
            "--tile-px",
            "256",
            "--batch",
            "2",
            "--device",
            "cpu",
        ]
        assert command(arguments) == 1
        assert "could not be read" in "".join(capsys.readouterr())

    def test_not_one_tile(self, store: Path, weights: Path) -> None:
        break_chunks(store, *[f"{r}/{c}" for r in range(6) for c in range(6)])
        with pytest.raises(InputError, match="none of the 9 tiles could be read"):
            cells(store, weights)

    def test_no_nuclei_at_all(self, weights: Path, tmp_path: Path) -> None:
        blank = make_tissue_store(np.full((768, 768, 3), 255, np.uint8), tmp_path / "blank.zarr")
        with pytest.raises(InputError, match="no nuclei were found"):
            cells(blank, weights)

    def test_unknown_microns(self, weights: Path, tmp_path: Path) -> None:
        from PIL import Image

        Image.fromarray(np.zeros((300, 300, 3), np.uint8)).save(tmp_path / "x.png")
        with pytest.raises(InputError, match="no microns per pixel"):
            cells(tmp_path / "x.png", weights)

    def test_a_scheduler_that_is_not_there(self, store: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("napari_c2lst.cells.spreading._CONNECT_SECONDS", 0.5)
        with pytest.raises(InputError, match="no Dask scheduler answers"):
            cells(store, weights, scheduler="tcp://127.0.0.1:9")


def test_on_a_cluster_as_here(store: Path, weights: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, silence_logs=50
    ) as cluster:
        there = cells(store, weights, name="there", scheduler=cluster.scheduler_address)
    alone = cells(store, weights, name="alone")
    assert there.nuclei == alone.nuclei
    sdata = spatialdata.read_zarr(store)
    pair = [sdata.shapes[f"c2lst_cells_{n}"].geometry.to_numpy() for n in ("there", "alone")]
    assert shapely.equals_exact(*pair).all()


class TestDarkness:
    """Slides darker than what the weights have learned from."""

    @pytest.fixture
    def knowing(self, tmp_path: Path) -> Path:
        """Weights that have learned from light tissue."""
        light = FACTS.model_copy(update={"density": (0.4, 0.5, 0.4)})
        return save_hovernet(HoVerNet("fast", 5, FACTS.width), light, tmp_path / "decoding.safetensors")

    def used(
        self, monkeypatch: pytest.MonkeyPatch, store: Path, weights: Path, **values: Any
    ) -> tuple[Density, list[str]]:
        densities: list[Density] = []
        monkeypatch.setattr(DecodingNet, "densities", densities)
        reporter = RecordingReporter()
        cells(store, weights, reporter, **values)
        return densities[-1], reporter.messages

    def test_they_are_lightened_and_it_says_so(
        self, monkeypatch: pytest.MonkeyPatch, store: Path, knowing: Path
    ) -> None:
        factors, said = self.used(monkeypatch, store, knowing)
        assert max(factors) < 1
        assert any(f"times {factors[0]:g}, {factors[1]:g} and {factors[2]:g} before" in line for line in said)

    def test_a_factor_that_is_given_is_taken(self, monkeypatch: pytest.MonkeyPatch, store: Path, knowing: Path) -> None:
        assert self.used(monkeypatch, store, knowing, density=0.8)[0] == (0.8, 0.8, 0.8)
        factors, said = self.used(monkeypatch, store, knowing, density=1.0)
        assert factors == AS_IT_IS
        assert not [line for line in said if "optical" in line]

    def test_weights_that_say_nothing_see_the_slide_as_it_is(
        self, monkeypatch: pytest.MonkeyPatch, store: Path, weights: Path
    ) -> None:
        assert self.used(monkeypatch, store, weights)[0] == AS_IT_IS


class TestTheEnd:
    """What the user is told."""

    DONE: ClassVar[dict[str, Any]] = {
        "store": Path("s.zarr"),
        "elements": ("a", "a_table"),
        "nuclei": 5,
        "types": {"small": 2, "large": 3},
        "tiles": 40,
        "bad_tiles": 0,
        "seconds": 61.6,
    }

    def test_all_went_well(self) -> None:
        result = CellsResult(**self.DONE)
        assert result.lines() == [
            "found 5 nuclei on 40 tiles in 62 s: 2 small, 3 large",
            "written into s.zarr: a, a_table",
        ]
        assert result.exit_code == 0

    def test_tiles_were_left_out(self) -> None:
        result = CellsResult(**{**self.DONE, "bad_tiles": 2, "first_fault": "torn", "geojson": Path("n.geojson")})
        assert result.lines()[2:] == [
            "written: n.geojson",
            "2 of 40 tiles could not be read and have no nuclei; the first: torn",
        ]
        assert result.exit_code == 1


class TestBeforeAnyWork:
    def refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(segmenting, "tissue_tiling", lambda *_: pytest.fail("it has begun"))

    @pytest.mark.parametrize("taken", ["Decoding", "decoding_table"])
    def test_a_name_that_would_make_the_store_unreadable(
        self, store: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, taken: str
    ) -> None:
        """'decoding' beside 'Decoding', or beside a table of that name: SpatialData opens no such store."""
        (store / "shapes" / f"c2lst_cells_{taken}").mkdir()
        self.refused(monkeypatch)
        with pytest.raises(InputError, match=f"beside shapes 'c2lst_cells_{taken}'"):
            cells(store, weights)

    def test_a_name_that_no_store_takes(self, store: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refused(monkeypatch)
        with pytest.raises(InputError, match="'a b' cannot be the name of a result"):
            cells(store, weights, name="a b")


class TestBadTilesAreTriedAgain:
    """They were bad before a stop; what was found on the others is kept."""

    @pytest.fixture
    def stopped(self, store: Path, weights: Path) -> tuple[Path, dict[Path, bytes]]:
        """A store whose search was stopped with bad tiles behind it, and its torn chunks as they were."""
        whole = {chunk: chunk.read_bytes() for chunk in (store / "images").rglob("*") if chunk.parts[-2:] == ("2", "2")}
        assert whole
        for chunk in whole:
            chunk.write_bytes(b"torn")
        with pytest.raises(Stopped, match="after 6 of 9 tiles"):
            cells(store, weights, RecordingReporter(stop_after=3))
        return store, whole

    def test_and_mended_nothing_tells_it_from_an_unbroken_run(
        self, stopped: tuple[Path, dict[Path, bytes]], weights: Path
    ) -> None:
        store, whole = stopped
        for chunk, body in whole.items():
            chunk.write_bytes(body)
        reporter = RecordingReporter()
        result = cells(store, weights, reporter)
        tried = next(m for m in reporter.messages if "now tried again" in m)
        bad = int(tried.rsplit(" ", 1)[1])
        assert 0 < bad < 6
        assert f"going on after {6 - bad} of 9 tiles" in reporter.messages
        assert [e["done"] for e in reporter.of_kind("progress")][-1] == 9
        assert (result.bad_tiles, result.exit_code) == (0, 0)
        cells(store, weights, name="unbroken")
        sdata = spatialdata.read_zarr(store)
        pair = [sdata.shapes[n].geometry.to_numpy() for n in (NAME, "c2lst_cells_unbroken")]
        assert len(pair[0]) == len(pair[1])
        assert shapely.equals_exact(*pair).all()
        obs = [sdata.tables[f"{n}_table"].obs.drop(columns="region") for n in (NAME, "c2lst_cells_unbroken")]
        assert obs[0].equals(obs[1])
        assert [p.name for p in store.parent.iterdir()] == [store.name]

    def test_and_still_bad_they_are_told_once_more(
        self, stopped: tuple[Path, dict[Path, bytes]], weights: Path
    ) -> None:
        store, _ = stopped
        reporter = RecordingReporter()
        result = cells(store, weights, reporter)
        assert any("now tried again" in m for m in reporter.messages)
        unbroken = cells(store, weights, name="unbroken")
        assert result.bad_tiles == unbroken.bad_tiles > 0
        assert (result.nuclei, result.first_fault) == (unbroken.nuclei, unbroken.first_fault)
        assert result.exit_code == 1
        assert "could not be read and have no nuclei" in result.lines()[-1]

    def test_what_was_good_is_not_done_again(
        self, stopped: tuple[Path, dict[Path, bytes]], weights: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, whole = stopped
        for chunk, body in whole.items():
            chunk.write_bytes(body)
        seen: list[int] = []
        maps = DecodingNet.maps

        def counted(net: DecodingNet, images: NDArray[np.uint8], reporter: Any = None) -> Any:
            seen.append(len(images))
            return maps(net, images, reporter)

        monkeypatch.setattr(DecodingNet, "maps", counted)
        reporter = RecordingReporter()
        cells(store, weights, reporter)
        bad = int(next(m for m in reporter.messages if "now tried again" in m).rsplit(" ", 1)[1])
        assert sum(seen) == 3 + bad  # the three that no run had come to, and the bad ones


def test_a_mended_image_is_read_again(store: Path, weights: Path) -> None:
    """Where nothing could be read nothing was found out: the same command after the repair must not say so again."""
    kept = {chunk: chunk.read_bytes() for chunk in (store / "images").rglob("*") if chunk.parent.parent.name == "0"}
    assert len(kept) >= 36
    for chunk in kept:
        chunk.write_bytes(b"torn")
    with pytest.raises(InputError, match="none of the 9 tiles could be read"):
        cells(store, weights)
    assert [p.name for p in store.parent.iterdir()] == [store.name]
    for chunk, whole in kept.items():
        chunk.write_bytes(whole)
    assert cells(store, weights).bad_tiles == 0


def test_spots_of_unknown_size_cost_no_nuclei(store: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise InputError("the spots have no known diameter", "convert the slide")

    monkeypatch.setattr(segmenting, "spot_of_cells", unknown)
    reporter = RecordingReporter()
    result = cells(store, weights, reporter)
    assert result.elements == (NAME, f"{NAME}_table")
    warned = [e["text"] for e in reporter.of_kind("message") if e["level"] == "warning"]
    assert "the spots have no known diameter / convert the slide" in warned
