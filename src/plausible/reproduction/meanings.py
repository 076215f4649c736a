"""What each verdict means, in the words of the pages; docs/verdicts.md has the whole rule."""

from plausible.reproduction.entries import ENTRY_VERDICTS, FAILS, HOLDS, IN_PART
from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.verdict_row import (
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    NOT_JUDGED,
)

ROW_MEANINGS = {
    REPRODUCED: "A number: our mean lies within the resolution of the published one, and its 95 % "
    "interval is no wider than that. A statement: the interval lies wholly on the stated side of "
    "its bound. An equation: every deviation respects its bound, and the controls fail.",
    DIFFERS: "A number: our mean lies outside the resolution, and further away than a further run "
    "of ours would (95 %). A statement: the interval lies wholly on the other side. A remark says "
    "why where the cause is known.",
    UNDECIDED: "The seeds cannot tell, or the comparison has no control; a remark says how many "
    "seeds would decide at this scatter.",
    NOT_COMPARABLE: "This run cannot tell: other data, or shorter training. "
    "The reproduced value is shown all the same.",
    NOT_IN_RUN: "This run was made before the check was written; the next one will judge it.",
    NEEDS_DATA: "A further data set or pretrained weights would be needed.",
    ILLUSTRATION: "A photograph, a borrowed picture, a cited fact or a review.",
}
"""Of one number or statement under one protocol."""
_HOW = {
    "as_published": "Every number and statement of it is reproduced as the text says it.",
    "as_coded": "Not as published, but all of it by the author's code.",
    "as_coded_elsewhere": "Not as published, but all of it by code of another project of the same "
    "group.",
    "corrected": "Only where a misprint or a gap of the text is mended.",
    "calibrated": "Only with settings fitted by us, on cells that they were not fitted on.",
}
ENTRY_MEANINGS = {HOLDS[protocol]: text for protocol, text in _HOW.items()} | {
    IN_PART: "Under the best single protocol some of it is reproduced and some differs.",
    FAILS: "None of it is reproduced under any protocol, be it a single number or statement.",
    UNDECIDED: "Under the best protocol nothing differs, and the seeds cannot tell all of it.",
    **{name: ROW_MEANINGS[name] for name in NOT_JUDGED},
}
"""Of a published figure, table, claim or theorem, in the order of the verdicts."""
SHORT = {name: text.partition(". ")[0] + "." for name, text in ROW_MEANINGS.items()} | {
    name: ENTRY_MEANINGS[name] for name in ENTRY_VERDICTS if name != UNDECIDED
}
