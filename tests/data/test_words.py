"""Words and stems, against the examples of Porter's paper."""

import pytest

from plausible.data.words import measure, stem, words

# Examples of "An algorithm for suffix stripping" (1980), as far as the later steps leave them.
STEMS = {
    **{"caresses": "caress", "ponies": "poni", "ties": "ti", "caress": "caress", "cats": "cat"},
    **{"feed": "feed", "agreed": "agre", "plastered": "plaster", "bled": "bled"},
    **{"motoring": "motor", "sing": "sing", "conflated": "conflat", "troubled": "troubl"},
    **{"sized": "size", "hopping": "hop", "tanned": "tan", "falling": "fall", "hissing": "hiss"},
    **{"fizzed": "fizz", "failing": "fail", "filing": "file", "happy": "happi", "sky": "sky"},
    **{"relational": "relat", "conditional": "condit", "rational": "ration", "valenci": "valenc"},
    **{"digitizer": "digit", "radicalli": "radic", "differentli": "differ", "vileli": "vile"},
    **{"analogousli": "analog", "vietnamization": "vietnam", "predication": "predic"},
    **{"operator": "oper", "feudalism": "feudal", "decisiveness": "decis", "hopefulness": "hope"},
    **{"callousness": "callous", "formaliti": "formal", "sensitiviti": "sensit"},
    **{"sensibiliti": "sensibl", "triplicate": "triplic", "formative": "form"},
    **{"formalize": "formal", "electriciti": "electr", "electrical": "electr"},
    **{"hopeful": "hope", "goodness": "good", "revival": "reviv", "allowance": "allow"},
    **{"inference": "infer", "airliner": "airlin", "gyroscopic": "gyroscop"},
    **{"adjustable": "adjust", "defensible": "defens", "irritant": "irrit"},
    **{"replacement": "replac", "adjustment": "adjust", "dependent": "depend"},
    **{"adoption": "adopt", "homologou": "homolog", "communism": "commun", "activate": "activ"},
    **{"angulariti": "angular", "homologous": "homolog", "effective": "effect"},
    **{"bowdlerize": "bowdler", "probate": "probat", "rate": "rate", "cease": "ceas"},
    **{"controll": "control", "roll": "roll", "generalizations": "gener", "oscillators": "oscil"},
}


@pytest.mark.parametrize("word", STEMS)
def test_stems_of_the_paper(word) -> None:
    assert stem(word) == STEMS[word]


def test_measures_of_the_paper() -> None:
    expected = {
        0: ("tr", "ee", "tree", "y", "by"),
        1: ("trouble", "oats", "trees", "ivy"),
        2: ("troubles", "private", "oaten", "orrery"),
    }
    for value, examples in expected.items():
        assert [measure(word) for word in examples] == [value] * len(examples)


def test_words_are_letters_without_the_commonest() -> None:
    assert words("The 2 Resistors, (a 10k-ohm RESISTOR) don't matter!") == [
        *("resistor", "ohm", "resistor", "don", "matter"),
    ]
    assert words("") == [] and words("1 2 3 -- ab") == []


def test_short_words_are_their_own_stems() -> None:
    assert stem("is") == "is" and stem("as") == "as"
