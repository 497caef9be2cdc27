"""What `c2lst pretrain` ends with."""

from pathlib import Path

from napari_c2lst.common.results import TaskResult


class PretrainResult(TaskResult):
    """A finished central model."""

    run: Path
    central: Path
    content_hash: str
    parameters: int
    megabytes: float
    tiles: int
    steps: int
    loss: float

    def lines(self) -> list[str]:
        return [
            f"central model: {self.central} ({self.megabytes:.1f} MB, {self.parameters / 1e6:.2f} M parameters)",
            f"learned from {self.tiles} tiles in {self.steps} steps, loss {self.loss:.4f} (mean of the last 100 steps)",
            f"use it with: c2lst adapt SLIDE --central {self.central}",
        ]
