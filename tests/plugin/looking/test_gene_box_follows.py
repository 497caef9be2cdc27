from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from napari_c2lst.plugin.looking.panel import LookPanel
from napari_c2lst.plugin.session import Session


@pytest.mark.parametrize(("shown", "box"), [("b", "b"), ("other", "a"), ("", "a")])
def test_the_box_names_the_gene_of_the_map(shown: str, box: str) -> None:
    """A gene that was chosen before the prediction was read is the one that the map shows, and the box says so."""
    session, said = Session(), []
    session.gene = shown
    values: Any = SimpleNamespace(predicted=SimpleNamespace(genes=("a", "b")))
    values.predicted = type("Genes", (), {"genes": ("a", "b"), "__contains__": lambda self, gene: gene in self.genes})()
    ready = SimpleNamespace(values=values, x_range_px=(0.0, 1.0))
    choices = SimpleNamespace(allow=lambda _: None, set_divider_range=lambda *_: None, show_gene=said.append)
    panel: Any = SimpleNamespace(
        session=session, choices=choices, show_map=lambda: None, inspector=SimpleNamespace(spot=-1)
    )
    LookPanel._use_prepared(panel, ready)  # type: ignore[arg-type]
    assert said == [box]
    assert session.gene == box
