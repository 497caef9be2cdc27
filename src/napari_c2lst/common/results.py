"""What a task hands back."""

from pydantic import BaseModel, ConfigDict


class TaskResult(BaseModel):
    """The result of a task: paths and figures, never arrays; written to `result.json` of its run folder."""

    model_config = ConfigDict(frozen=True)

    @property
    def exit_code(self) -> int:
        """0; 1 where a part of the work was left out and there is a result nevertheless."""
        return 0

    def lines(self) -> list[str]:
        """What to tell the user at the end, line by line."""
        return [f"{name}: {value}" for name, value in self]
