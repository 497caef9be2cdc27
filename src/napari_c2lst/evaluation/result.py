"""What `c2lst evaluate` ends with."""

from pathlib import Path

from napari_c2lst.common.results import TaskResult


class EvaluateResult(TaskResult):
    """What `evaluate` wrote.

    Attributes
    ----------
    scores, genes, differences
        CSV files: a line for each arm, for each gene of each arm, for each comparison.
    page
        The table with the figures, as Markdown.
    composition
        CSV file: a line for each type of nuclei in real and synthetic patches; None where no weights were named.
    figures
        PNG files; an SVG of the same name lies beside each.
    table
        The lines of the printed table.
    notes
        What a reader must know to judge the score.
    """

    scores: Path
    genes: Path
    differences: Path
    page: Path
    composition: Path | None = None
    figures: list[Path]
    table: list[str]
    notes: list[str]

    def lines(self) -> list[str]:
        """The table, what to bear in mind, and where everything is."""
        said = [*self.table, *(f"Note: {note}." for note in self.notes), ""]
        said += [f"table: {self.scores}", f"genes: {self.genes}"]
        said += [f"nuclei: {self.composition}"] if self.composition else []
        return [*said, f"page with figures: {self.page}"]
