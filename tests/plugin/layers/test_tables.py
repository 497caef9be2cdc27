from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_c2lst.plugin.layers.tables import light_copy, no_table


def test_columns_and_settings_are_its_own_and_the_numbers_shared() -> None:
    obs = pd.DataFrame({"region": ["spots"] * 3}, index=["a", "b", "c"])
    table = AnnData(np.ones((3, 2)), obs=obs, obsm={"spatial": np.zeros((3, 2))}, layers={"raw": np.ones((3, 2))})
    table.uns["spatialdata_attrs"] = {"region": "spots"}
    copy = light_copy(table)
    copy.obs["theirs"] = 1
    copy.obs["region"] = "other"
    copy.obsm["theirs"] = np.zeros((3, 1))
    copy.uns["spatialdata_attrs"]["region"] = "other"
    assert table.obs.columns.tolist() == ["region"]
    assert set(table.obs["region"]) == {"spots"}
    assert set(table.obsm) == {"spatial"}
    assert table.uns["spatialdata_attrs"] == {"region": "spots"}
    assert np.shares_memory(copy.X, table.X)
    assert np.shares_memory(copy.layers["raw"], table.layers["raw"])


def test_no_table_is_one_with_nothing_to_choose() -> None:
    assert no_table() is no_table()
    assert no_table().shape != (0, 0)
    assert not len(no_table().obs.columns)
    assert not len(no_table().var)
