"""Words of a text: lower-case letters, no stop words, and stems after Porter.

The files that O'Connor 2020 used (A. Cardoso-Cachopo's edition of 20 Newsgroups) were made so:
letters only, lower case, words of three letters or more, no stop words, stems. Their list of stop
words (SMART) is not at hand; scikit-learn's English list stands in for it.

Stems: M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980). A word is a sequence
[C](VC)^m[V] of consonants C and vowels V; m is its measure.
"""

import re
from collections.abc import Callable
from functools import cache

SHORTEST = 3
"""Letters of the shortest word that counts."""

_STEP_2 = {
    **{"ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize"},
    **{"abli": "able", "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous"},
    **{"ization": "ize", "ation": "ate", "ator": "ate", "alism": "al", "iveness": "ive"},
    **{"fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble"},
}
_STEP_3 = {
    **{"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": ""},
    **{"ness": ""},
}
_STEP_4 = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion"),
    *("ou", "ism", "ate", "iti", "ous", "ive", "ize"),
)


def words(text: str) -> list[str]:
    """Words of ``text`` in their order, as stems."""
    found = re.findall(f"[a-z]{{{SHORTEST},}}", re.sub("[^a-z]+", " ", text.lower()))
    return [stem(word) for word in found if word not in _stop_words()]


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # costs a second

    return frozenset(ENGLISH_STOP_WORDS)


def _pattern(word: str) -> str:
    """Vowels as v and consonants as c; y is a vowel behind a consonant."""
    kinds = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and kinds.endswith("c"))
        kinds += "v" if vowel else "c"
    return kinds


def measure(word: str) -> int:
    """m: how often vowels are followed by consonants (tree 0, trouble 1, oaten 2)."""
    return len(re.findall("v+c+", _pattern(word)))


def _ends_in_double_consonant(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _pattern(word)[-1] == "c"


def _ends_in_short_syllable(word: str) -> bool:
    """Consonant, vowel, consonant other than w, x and y (-wil, -hop)."""
    return _pattern(word)[-3:] == "cvc" and word[-1] not in "wxy"


@cache
def stem(word: str) -> str:
    """Stem of a lower-case word; words of one or two letters are left alone."""
    if len(word) < 3:
        return word
    word = _plurals_and_participles(word)
    if word.endswith("y") and "v" in _pattern(word[:-1]):
        word = word[:-1] + "i"
    word = _replace_suffix(word, _STEP_2, lambda base, _: measure(base) > 0)
    word = _replace_suffix(word, _STEP_3, lambda base, _: measure(base) > 0)
    word = _replace_suffix(
        word,
        dict.fromkeys(_STEP_4, ""),
        lambda base, suffix: measure(base) > 1 and (suffix != "ion" or base[-1] in "st"),
    )
    if word.endswith("e"):
        base = word[:-1]
        if measure(base) > 1 or (measure(base) == 1 and not _ends_in_short_syllable(base)):
            word = base
    if word.endswith("ll") and measure(word) > 1:
        word = word[:-1]
    return word


def _replace_suffix(word: str, rules: dict[str, str], condition: Callable[[str, str], bool]) -> str:
    """Apply the rule of the longest suffix that fits; if its condition fails, none applies."""
    fitting = [suffix for suffix in rules if word.endswith(suffix)]
    if fitting:
        suffix = max(fitting, key=len)
        base = word.removesuffix(suffix)
        if condition(base, suffix):
            return base + rules[suffix]
    return word


def _plurals_and_participles(word: str) -> str:
    """Steps 1a and 1b: -s, -eed, -ed, -ing."""
    word = _replace_suffix(
        word, {"sses": "ss", "ies": "i", "ss": "ss", "s": ""}, lambda base, suffix: True
    )
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        base = word.removesuffix(suffix)
        if base != word:
            return _repair(base) if "v" in _pattern(base) else word
    return word


def _repair(base: str) -> str:
    """What step 1b does to a word that has lost -ed or -ing: conflat(e), hop(p), fil(e)."""
    if base.endswith(("at", "bl", "iz")):
        return base + "e"
    if _ends_in_double_consonant(base) and base[-1] not in "lsz":
        return base[:-1]
    if measure(base) == 1 and _ends_in_short_syllable(base):
        return base + "e"
    return base
