from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.test_scoring import make_trial

from napari_c2lst.evaluation.records import Trial
from napari_c2lst.evaluation.report import table_lines, write_differences, write_genes, write_page, write_scores
from napari_c2lst.evaluation.scoring import differences, gene_scores, score_trial


def scored(*trials: Trial) -> tuple[list, list]:
    scores = [score for trial in trials for score in score_trial(trial, draws=200)]
    return scores, differences(trials, draws=200)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scores_as_csv(tmp_path: Path) -> None:
    scores, _ = scored(make_trial())
    rows = {row["arm"]: row for row in read(write_scores(tmp_path / "scores.csv", scores))}
    real = rows["real"]
    assert (real["split"], real["seed"], real["n_train"], real["n_test"]) == ("random", "0", "25", "80")
    assert float(real["mae"]) == pytest.approx(scores[2].mae.value, rel=1e-5)
    assert float(real["mae_against_median"]) == pytest.approx(scores[2].against_median, rel=1e-5)
    assert float(real["r_low"]) < float(real["r"]) < float(real["r_high"])
    assert (real["genes_with_r"], real["genes"], real["steps"]) == ("10", "10", "300")


def test_undefined_r_reads_none_and_never_zero(tmp_path: Path) -> None:
    scores, found = scored(make_trial())
    rows = {row["arm"]: row for row in read(write_scores(tmp_path / "scores.csv", scores))}
    assert (rows["median"]["r"], rows["median"]["genes_with_r"], rows["median"]["steps"]) == ("none", "0", "")
    against = [row for row in read(write_differences(tmp_path / "d.csv", found)) if row["second"] == "median"]
    assert against[0]["r"] == "none"
    genes = read(write_genes(tmp_path / "genes.csv", gene_scores(make_trial())))
    assert {row["r"] for row in genes if row["arm"] == "mean"} == {"none"}
    assert all(abs(float(row["r"])) <= 1 for row in genes if row["arm"] == "real")


def test_gene_table_has_a_line_for_each_gene_and_arm(tmp_path: Path) -> None:
    rows = read(write_genes(tmp_path / "genes.csv", gene_scores(make_trial())))
    assert len(rows) == 40
    assert list(rows[0])[:6] == ["split", "settings", "seed", "arm", "run", "gene"]


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    path = write_scores(tmp_path / "scores.csv", scored(make_trial())[0])
    before = path.read_text()
    with pytest.raises(AttributeError):
        write_scores(path, [None])  # type: ignore[list-item]
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["scores.csv"]


def test_the_table_of_one_trial_says_what_was_scored() -> None:
    lines = table_lines(*scored(make_trial("blocked", 3)))
    assert lines[0] == ("Blocked split, seed 3: 25 training spots, scored on 80 spots it has not seen, 10 genes")
    assert lines[1].split() == ["MAE", "against", "median", "r", "genes", "with", "r", "steps"]
    row = next(line for line in lines if line.strip().startswith("median of"))
    assert row.split()[-7:] == ["+0.0", "%", "none", "0", "of", "10", "-"]


def test_mae_never_stands_without_median_and_r() -> None:
    lines = table_lines(*scored(make_trial()))
    assert any("median of training spots" in line for line in lines)
    assert " r " in lines[1]
    assert lines[-1].startswith("MAE: mean error on the log(1 + x) scale")


def test_columns_line_up() -> None:
    lines = table_lines(*scored(make_trial()))[1:6]
    assert len({len(line.rstrip()) for line in lines}) == 1


def test_the_table_of_several_trials_averages_each_split_alone() -> None:
    trials = [make_trial(split, seed) for split in ("random", "blocked") for seed in range(3)]
    lines = table_lines(*scored(*trials))
    headings = [line for line in lines if "choices of training spots" in line]
    assert headings == [
        f"{split} split, mean over 3 choices of training spots (seeds 0, 1, 2)" for split in ("Random", "Blocked")
    ]
    row = next(line for line in lines if line.strip().startswith("real only") and " to " in line)
    assert row.split()[-2:] == ["3", "300"]
    assert row.count(" to ") == 2  # intervals of the share against the median and of r
    assert sum("real + synthetic against real only" in line for line in lines) == 2


def test_repeated_runs_of_an_arm_are_told_apart() -> None:
    from napari_c2lst.evaluation.records import Entry

    truth = make_trial().truth
    again = Entry("real+synthetic", truth + 0.1 * np.random.default_rng(0).normal(size=truth.shape), "ten", 300)
    lines = table_lines(*scored(make_trial(extra=(again,))))
    assert any("real + synthetic [both]" in line for line in lines)
    assert any("real + synthetic [ten]" in line for line in lines)


def test_nothing_to_score() -> None:
    assert table_lines([]) == ["no run to score"]


def test_the_page_shows_table_notes_and_figures(tmp_path: Path) -> None:
    figure = tmp_path / "figures" / "maps.png"
    page = write_page(tmp_path / "report.md", "Title", ["a", "b"], {"Maps": figure}, ["take care"])
    text = page.read_text()
    assert text.startswith("# Title\n\n```\na\nb\n```")
    assert "- take care" in text
    assert "![Maps](figures/maps.png)" in text


def test_choices_without_a_seed_name_none() -> None:
    polygons = [replace(make_trial("polygon", None), n_train=n) for n in (25, 30)]
    lines = table_lines(*scored(*polygons))
    assert lines[0] == "Polygon split, mean over 2 choices of training spots"
    mixed = table_lines(*scored(*polygons[:1], replace(make_trial("polygon", 4), n_train=30)))
    assert mixed[0] == "Polygon split, mean over 2 choices of training spots (seeds 4)"


def test_the_table_of_one_trial_without_a_seed() -> None:
    (heading, *_) = table_lines(*scored(make_trial("ids", None)))
    assert heading.startswith("Ids split: 25 training spots")


def test_settings_are_named_in_their_heading_and_column(tmp_path: Path) -> None:
    scores, found = scored(replace(make_trial(), label="600 steps"))
    assert table_lines(scores, found)[0].startswith("Random split, seed 0 (600 steps): 25 training")
    assert {row["settings"] for row in read(write_scores(tmp_path / "s.csv", scores))} == {"600 steps"}
    assert {row["settings"] for row in read(write_differences(tmp_path / "d.csv", found))} == {"600 steps"}
    genes = read(write_genes(tmp_path / "g.csv", gene_scores(replace(make_trial(), label="600 steps"))))
    assert {row["settings"] for row in genes} == {"600 steps"}
    assert "label" not in genes[0]


def test_differences_as_csv(tmp_path: Path) -> None:
    _, found = scored(make_trial())
    row = read(write_differences(tmp_path / "d.csv", found))[0]
    assert (row["first"], row["second"], row["first_run"], row["second_run"]) == (
        "real+synthetic", "real", "both", "alone",
    )  # fmt: skip
    assert float(row["mae_low"]) < float(row["mae"]) < float(row["mae_high"]) < 0
    assert (row["interval_over"], row["n"], row["verdict"]) == ("spots", "80", "better in both")


def test_a_difference_over_one_trial_of_each_arm_names_the_run_once() -> None:
    trial = make_trial()
    named = replace(trial.entries[0], run="blocked-seed0/real+synthetic")  # as a repeat calls it: after its arm
    lines = table_lines(*scored(replace(trial, entries=(named, *trial.entries[1:]))))
    assert any(line.strip().startswith("real + synthetic against real only:") for line in lines)
    assert not any("[blocked-seed0" in line for line in lines)


def test_runs_of_several_lengths_are_all_said() -> None:
    longer = make_trial(seed=1)
    entries = tuple(replace(e, steps=600) if e.arm == "real" else e for e in longer.entries)
    lines = table_lines(*scored(make_trial(seed=0), replace(longer, entries=entries)))
    row = next(line for line in lines if line.strip().startswith("real only"))
    assert row.endswith("300, 600")


def test_one_run_of_an_arm_in_several_trials_has_no_interval() -> None:
    trials = [make_trial(seed=0), make_trial(seed=1)]
    alone = replace(trials[1], entries=tuple(e for e in trials[1].entries if e.arm != "real"))
    row = next(line for line in table_lines(*scored(trials[0], alone)) if line.strip().startswith("real only"))
    assert " to " not in row
    assert row.split()[-2:] == ["1", "300"]


def test_numbers_are_written_with_six_digits(tmp_path: Path) -> None:
    scores, _ = scored(replace(make_trial(), scale=1234.56789))
    rows = read(write_scores(tmp_path / "scores.csv", scores))
    assert rows[0]["counts_scaled_to"] == "1234.57"
    assert all(len(row["mae"].replace(".", "").lstrip("0")) <= 6 for row in rows)


def test_a_table_without_rows_is_an_empty_file(tmp_path: Path) -> None:
    assert write_differences(tmp_path / "differences.csv", []).read_text() == ""


def test_a_page_without_notes_or_figures(tmp_path: Path) -> None:
    text = write_page(tmp_path / "report.md", "Größe µm", ["a"], {}, []).read_text(encoding="utf-8")
    assert text == "# Größe µm\n\n```\na\n```\n"


def test_the_page_refuses_a_figure_that_does_not_lie_beside_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="subpath"):
        write_page(tmp_path / "page" / "report.md", "T", [], {"Far": tmp_path / "maps.png"}, [])
    assert not (tmp_path / "page" / "report.md").exists()


def test_commas_and_quotes_in_names_stay_in_their_cells(tmp_path: Path) -> None:
    trial = make_trial()
    odd = replace(trial.entries[0], run='tumour, "A"\nsecond')
    scores, _ = scored(replace(trial, entries=(odd, *trial.entries[1:]), label="6 steps, 12 genes"))
    rows = read(write_scores(tmp_path / "scores.csv", scores))
    assert len(rows) == 4
    assert {row["settings"] for row in rows} == {"6 steps, 12 genes"}
    assert 'tumour, "A"\nsecond' in {row["run"] for row in rows}


def test_labels_stand_in_the_heading_of_their_block() -> None:
    trials = [replace(make_trial(seed=0), label=label) for label in ("6 steps", "60 steps")]
    headings = [line for line in table_lines(*scored(*trials)) if line.startswith("Random split")]
    assert len(headings) == 2
    assert "(6 steps)" in headings[0]
    assert "(60 steps)" in headings[1]


def test_every_difference_of_the_table_stands_under_its_own_block() -> None:
    trials = [make_trial("random"), make_trial("blocked")]
    lines = table_lines(*scored(*trials))
    starts = [i for i, line in enumerate(lines) if " split" in line and not line.startswith(" ")]
    assert [lines[i].split()[0] for i in starts] == ["Random", "Blocked"]
    blocks = [lines[starts[0] : starts[1]], lines[starts[1] :]]
    asked = ["real + synthetic" in line and "against real only" in line for block in blocks for line in block]
    assert sum(asked[: len(blocks[0])]) == sum(asked[len(blocks[0]) :]) == 1


def test_a_page_is_replaced_whole(tmp_path: Path) -> None:
    page = tmp_path / "report.md"
    write_page(page, "First", ["a"] * 50, {}, ["note"])
    write_page(page, "Second", ["b"], {}, [])
    assert page.read_text() == "# Second\n\n```\nb\n```\n"
