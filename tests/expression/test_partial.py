from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.expression import partial
from napari_c2lst.expression.partial import PartialRows

BASIS = {"predictor": "sha256:1", "tta": False}


def opened(folder: Path, **values: Any) -> PartialRows:
    return PartialRows(folder, **{"basis": BASIS, "shape": (5, 3), "spread": False, "resume": True, **values})


def some(n: int, start: float = 0.0) -> np.ndarray:
    return (start + np.arange(n * 3, dtype=np.float32)).reshape(n, 3)


def test_rows_that_were_kept_are_there_again(tmp_path: Path) -> None:
    part = opened(tmp_path / "p", spread=True)
    part.write(np.array([3, 1]), some(2), some(2, 100.0))
    part.keep()
    part.close()
    again = opened(tmp_path / "p", spread=True)
    assert again.todo.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(again.mean.read(0, 5)[[3, 1]], some(2))
    assert again.spread is not None
    np.testing.assert_array_equal(again.spread.read(0, 5)[[3, 1]], some(2, 100.0))
    again.discard()
    assert not (tmp_path / "p").exists()


def test_rows_that_were_not_kept_are_predicted_again(tmp_path: Path) -> None:
    part = opened(tmp_path / "p")
    part.write(np.array([0]), some(1))
    part.close()
    assert opened(tmp_path / "p").todo.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("other", [{"basis": {**BASIS, "predictor": "sha256:2"}}, {"shape": (4, 3)}, {"resume": False}])
def test_rows_of_another_prediction_are_thrown_away(tmp_path: Path, other: dict[str, Any]) -> None:
    part = opened(tmp_path / "p")
    part.write(np.arange(5), some(5))
    part.keep()
    part.close()
    again = opened(tmp_path / "p", **other)
    assert len(again.todo) == other.get("shape", (5, 3))[0]
    assert not again.mean.read(0, 4).any()


def test_damaged_notes_mean_a_new_start(tmp_path: Path) -> None:
    part = opened(tmp_path / "p")
    part.write(np.arange(5), some(5))
    part.keep()
    part.close()
    (tmp_path / "p" / "done.npy").write_bytes(b"half")
    assert len(opened(tmp_path / "p").todo) == 5


def test_a_kill_loses_only_what_came_since_the_last_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "_SECONDS_BETWEEN", 0.0)
    part = opened(tmp_path / "p")
    part.write(np.array([2]), some(1))  # neither kept nor closed, as after a kill
    assert opened(tmp_path / "p").todo.tolist() == [0, 1, 3, 4]
