"""What must be kept in mind before a score is believed or told."""

from __future__ import annotations

from collections.abc import Sequence

from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.records import Score
from napari_c2lst.evaluation.scoring import summary

from .reading import Scores
from .words import interval_of, number, trials_of

APART = 0.05  # of mean r: more than that between two kinds of split is said


def cautions(scores: Scores) -> list[str]:
    """One sentence for each thing to beware of; the notes of `evaluate` come last."""
    said: list[str] = []
    for block in scores.blocks:
        own = scores.of_block(block)
        said += _unclear(block, own, several=len(scores.blocks) > 1)
        said += _one_seed(block, own, several=len(scores.blocks) > 1)
    said += _random_alone(scores)
    said += _splits_differ(scores)
    return [*said, *(f"{note[0].upper()}{note[1:]}." for note in scores.notes if note)]


def _unclear(block: str, own: Sequence[Score], *, several: bool) -> list[str]:
    """Networks whose r may as well be 0."""
    said = []
    for row in summary(own):
        if arm_named(row.arm).kind != "trained":
            continue
        r = interval_of(own, row.arm, "r")
        if r is None or r.low is None or r.high is None or r.clear:
            continue
        where = f" ({block} split)" if several else ""
        said.append(
            f"“{arm_named(row.arm).label}”{where}: the interval of r, {number(r)}, includes 0. Whether it follows the"
            " pattern at all is not shown, whatever its error."
        )
    return said


def _one_seed(block: str, own: Sequence[Score], *, several: bool) -> list[str]:
    if len(trials_of(own)) > 1:
        return []
    where = f" of the {block} split" if several else ""
    return [
        f"One choice of training spots{where} and one seed: intervals say what other held-out spots would change, not"
        " what another choice or seed would. “Repeat the chain” in the step “Evaluate” answers that."
    ]


def _random_alone(scores: Scores) -> list[str]:
    splits = {score.split for score in scores.scores}
    if "random" not in splits or "blocked" in splits:
        return []
    return [
        "Only scattered spots were held out. They lie between training spots and resemble them: a blocked split, which"
        " holds out whole regions, is the honest test."
    ]


def _splits_differ(scores: Scores) -> list[str]:
    said = []
    arms = dict.fromkeys(score.arm for score in scores.scores if arm_named(score.arm).kind == "trained")
    for arm in arms:
        found = {
            split: interval_of([s for s in scores.scores if s.split == split], arm, "r")
            for split in ("random", "blocked")
        }
        random, blocked = found["random"], found["blocked"]
        if random is None or blocked is None or abs(random.value - blocked.value) <= APART:
            continue
        said.append(
            f"“{arm_named(arm).label}”: r is {random.value:.2f} on scattered spots, {blocked.value:.2f} on whole"
            " regions it has not seen. Believe the second: neighbours of training spots resemble them."
        )
    return said
