from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.cells.training.nuclei import cell_settings, disc_folder, disc_image

from napari_c2lst.cells.training.batches import Windows, make_phases, phase_of
from napari_c2lst.cells.training.datasets import CellData, find_cell_data
from napari_c2lst.cells.training.layouts import CellImage, Item


def windows(tmp_path: Path, **values: object) -> Windows:
    folder = tmp_path / "data"
    if not folder.exists():
        disc_folder(folder)
    settings = cell_settings(folder, tmp_path / "run", **values)
    return Windows(find_cell_data(settings.data, "train"), settings)


class TestPhases:
    def test_steps_are_epochs_of_whole_batches(self) -> None:
        s = cell_settings(Path("d"), Path("o"), epochs=(2, 3), batch=(4, 3), weights=Path("w"))
        first, second = make_phases(s, 10)
        assert (first.begin, first.end, first.batch, first.frozen) == (0, 6, 4, True)
        assert (second.begin, second.end, second.batch, second.frozen) == (6, 18, 3, False)
        assert second.steps == 12

    def test_without_weights_nothing_is_frozen(self) -> None:
        assert not make_phases(cell_settings(Path("d"), Path("o"), epochs=(2, 3)), 10)[0].frozen

    def test_a_phase_without_epochs_is_left_out(self) -> None:
        (only,) = make_phases(cell_settings(Path("d"), Path("o"), epochs=(0, 3), batch=(4, 2)), 10)
        assert (only.number, only.begin, only.end) == (1, 0, 15)

    def test_the_phase_of_a_step(self) -> None:
        phases = make_phases(cell_settings(Path("d"), Path("o"), epochs=(2, 3), batch=(4, 3)), 10)
        assert [phase_of(phases, step).number for step in (0, 5, 6, 17, 18)] == [0, 0, 1, 1, 1]


class TestWindows:
    def test_an_epoch_covers_every_image(self) -> None:
        sizes = (104, 105, 300)
        items = [Item(str(px), lambda px=px: disc_image(px, 2)) for px in sizes]  # type: ignore[misc]
        w = Windows(CellData(items), cell_settings(Path("d"), Path("o")))
        assert [int((w.owner == k).sum()) for k in range(3)] == [1, 4, 9]

    def test_shapes_and_kinds(self, tmp_path: Path) -> None:
        w = windows(tmp_path)
        images, targets = w.batch(make_phases(w.settings, len(w))[0], 0)
        assert images.shape == (2, 3, 104, 104)
        assert images.dtype == torch.float32
        assert 100 < float(images.max()) <= 255
        assert targets["np"].shape == targets["tp"].shape == (2, 12, 12)
        assert targets["hv"].shape == (2, 2, 12, 12)
        assert targets["np"].dtype == targets["tp"].dtype == torch.int64

    def test_a_step_is_the_same_whenever_it_is_taken(self, tmp_path: Path) -> None:
        one, other = windows(tmp_path), windows(tmp_path)
        phase = make_phases(one.settings, len(one))[0]
        one.batch(phase, 0)
        assert torch.equal(one.batch(phase, 2)[0], other.batch(phase, 2)[0])
        assert not torch.equal(one.batch(phase, 2)[0], one.batch(phase, 3)[0])

    @pytest.mark.parametrize("values", [{"seed": 1}, {"colour": 0.0}, {"scale": 0.0}, {"degraded_share": 1.0}])
    def test_settings_change_what_is_shown(self, tmp_path: Path, values: dict[str, object]) -> None:
        plain, changed = windows(tmp_path, degraded_share=0.0), windows(tmp_path, **{"degraded_share": 0.0, **values})
        phase = make_phases(plain.settings, len(plain))[0]
        assert not torch.equal(plain.batch(phase, 0)[0], changed.batch(phase, 0)[0])

    def test_without_types_there_is_no_such_target(self) -> None:
        nuclei = disc_image()
        data = CellData([Item("a", lambda: CellImage(nuclei.image, nuclei.instances, None))])
        w = Windows(data, cell_settings(Path("d"), Path("o")))
        assert set(w.batch(make_phases(w.settings, len(w))[0], 0)[1]) == {"np", "hv"}
