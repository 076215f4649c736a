"""Newsgroups: read, divided, made into binary bags of words; and the table that stands in."""

import gzip
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from plausible.data.newsgroups import (
    GROUPS,
    PARTS,
    bags_of_words,
    load_posts,
    ordered,
    post_words,
    prepare_newsgroups,
)
from plausible.data.registry import prepare, source_files
from plausible.errors import DataError


@pytest.fixture(scope="module")
def posts_dir(data_dir):
    if len(source_files("newsgroups", data_dir)) < len(PARTS):
        pytest.skip("the newsgroups are not on this machine")
    return data_dir


@pytest.fixture(scope="module")
def posts(posts_dir):
    return load_posts(posts_dir)


def test_known_numbers_of_posts(posts) -> None:
    """Of the bydate edition."""
    train, test = posts["group"][: 591 + 594], posts["group"][591 + 594 :]
    assert [sum(train == group) for group in GROUPS] == [591, 594]
    assert [sum(test == group) for group in GROUPS] == [393, 396]
    assert all(posts["text"][:50].str.match("From|Subject|Path|Organ|X"))


def words_of(body: str) -> list[str]:
    return post_words(f"From: nobody\n\n{body}")


def test_subject_and_body_count_and_other_headers_do_not() -> None:
    text = (
        "From: someone@there\nSubject: Re: Voltage\nOrganization: hospital\n\nCurrents\n\nflow: so"
    )
    assert post_words(text) == ["voltag", "current", "flow"]


def test_words_are_letters_without_the_commonest() -> None:
    assert words_of("The 2 Resistors, (a 10k-ohm RESISTOR) don't matter!") == [
        *("resistor", "ohm", "resistor", "don", "matter"),
    ]
    assert words_of("") == [] and words_of("1 2 3 -- ab") == []


# Examples of Porter's paper, one of each step; "ties", "skies" and "possibly" have other stems by
# later editions, and so has a word of the posts, "receivving".
STEMS = {
    **{"caresses": "caress", "ponies": "poni", "ties": "ti", "agreed": "agre", "sized": "size"},
    **{"hopping": "hop", "falling": "fall", "filing": "file", "happy": "happi", "skies": "ski"},
    **{"conditional": "condit", "sensitiviti": "sensit", "triplicate": "triplic"},
    **{"adjustable": "adjust", "adoption": "adopt", "probate": "probat", "controll": "control"},
    **{"possibly": "possibli", "oscillators": "oscil", "receivving": "receiv"},
}


def test_stems_of_the_paper() -> None:
    assert words_of(" ".join(STEMS)) == list(STEMS.values())


def test_bags_by_hand() -> None:
    posts = [["b", "c", "c", "c"], ["a", "b"], [], ["x", "a", "a"]]
    assert bags_of_words(posts, 2, None).tolist() == [
        *([1, 1, 0], [0, 1, 1], [0, 0, 0], [0, 0, 1]),  # words: c, b, a
    ]
    assert bags_of_words(posts, 4, 2).tolist() == [[0, 1], [1, 0], [0, 0], [1, 0]]  # a, c


def test_chronological_order_takes_parts_numbers_and_groups_in_turn() -> None:
    numbers = [1, 2, 9, 1, 2, 9, 5, 6, 7, 5, 6, 7]
    posts = pd.DataFrame({"id": numbers, "group": np.repeat([*GROUPS, *GROUPS], 3)})
    chronological = ordered(posts, "chronological")
    for _, of_group in chronological.groupby("group"):
        assert of_group["id"].tolist() == [1, 2, 9, 5, 6, 7]
    assert chronological["group"].tolist() == [*GROUPS] * 6
    shuffled = ordered(posts, "shuffled")
    assert shuffled.sort_index().equals(chronological) and not shuffled.equals(chronological)
    assert shuffled.equals(ordered(posts, "shuffled"))
    with pytest.raises(DataError, match="chronological, shuffled"):
        ordered(posts, "alphabetical")


@pytest.fixture(scope="module")
def prepared(posts_dir):
    return prepare("newsgroups", posts_dir)


def test_division_of_the_thesis(prepared) -> None:
    assert len(prepared.train_images) == 1727 and len(prepared.test_images) == 247
    assert prepared.white == 1 and prepared.image_shape == (1, 2000)
    assert set(np.unique(prepared.train_images)) == {0, 1}
    for labels in (prepared.train_labels, prepared.test_labels):
        assert set(labels) == {0, 1} and labels.mean() == pytest.approx(0.5, abs=0.01)


def test_features_are_those_of_the_posts(prepared, posts) -> None:
    posts = ordered(posts, "chronological")
    counts = Counter(word for text in posts["text"][:1727] for word in post_words(text))
    known = sorted(counts, key=lambda word: (-counts[word], word))[:2000]
    both = np.concatenate([prepared.train_images, prepared.test_images])
    labels = np.concatenate([prepared.train_labels, prepared.test_labels])
    for index in (0, 1, 500, 1726, 1727, 1973):
        found = set(post_words(posts["text"][index]))
        assert both[index].tolist() == [int(word in found) for word in known]
        assert GROUPS[labels[index]] == posts["group"][index]


def test_the_features_tell_the_groups_apart(prepared) -> None:
    """Half of the posts would be right by chance.

    A model of the words that are there; one that also counts those that are not (Bernoulli) takes
    short posts for one class.
    """
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB().fit(prepared.train_images, prepared.train_labels)
    assert model.score(prepared.test_images, prepared.test_labels) > 0.9


def test_plain_files_are_read_too(posts, posts_dir, tmp_path) -> None:
    for path in source_files("newsgroups", posts_dir):
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert load_posts(tmp_path).equals(posts)


def test_changed_posts_are_noticed(posts_dir, tmp_path) -> None:
    path = source_files("newsgroups", posts_dir)[0]
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    rows[3]["group"] = "sci.med"
    changed = tmp_path / path.name
    changed.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    with pytest.raises(DataError, match="SHA-256") as caught:
        load_posts(tmp_path)
    assert str(changed) in str(caught.value)


def test_missing_posts_are_downloaded_once_and_stored_as_published(
    posts, posts_dir, tmp_path, monkeypatch
) -> None:
    parts = {"train": posts[:1185], "test": posts[1185:]}
    asked = []

    def fetch_20newsgroups(*, data_home, subset, categories, shuffle):
        assert data_home == tmp_path / "newsgroups" and categories == [*GROUPS] and not shuffle
        asked.append(subset)
        rows = parts[subset][::-1]
        return Bunch(
            data=rows["text"].tolist(),
            filenames=[f"{data_home}/{row.group}/{row.id}" for row in rows.itertuples()],
            target=np.array([GROUPS.index(group) for group in rows["group"]]),
            target_names=[*GROUPS],
        )

    monkeypatch.setattr("plausible.data.newsgroups.fetch_20newsgroups", fetch_20newsgroups)
    assert load_posts(tmp_path).equals(posts) and load_posts(tmp_path).equals(posts)
    assert asked == ["train", "test"]
    for path in source_files("newsgroups", posts_dir):
        stored = (tmp_path / "newsgroups" / path.stem).read_bytes()
        assert stored == gzip.decompress(path.read_bytes())


def test_a_failed_download_is_one_sentence_with_a_way_out(tmp_path, monkeypatch) -> None:
    def fetch_20newsgroups(**_):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("plausible.data.newsgroups.fetch_20newsgroups", fetch_20newsgroups)
    with pytest.raises(DataError, match="no route to host.*`scale: demo`") as caught:
        load_posts(tmp_path)
    assert str(tmp_path / "newsgroups" / PARTS["train"].name) in str(caught.value)
    assert PARTS["train"].sha256 in str(caught.value)


def test_impossible_divisions() -> None:
    with pytest.raises(DataError, match="0 training parts"):
        prepare_newsgroups(training_parts=0)
    with pytest.raises(DataError, match="vocabulary of 0 words"):
        prepare_newsgroups(vocabulary_size=0)


def test_stand_in_is_the_table_in_binary_form() -> None:
    from sklearn.datasets import load_breast_cancer

    table, labels = load_breast_cancer(return_X_y=True)
    stand_in = prepare("breast_cancer")
    assert stand_in.train_images.shape == (498, 90) and stand_in.test_images.shape == (71, 90)
    assert np.array_equal(np.concatenate([stand_in.train_labels, stand_in.test_labels]), labels)
    both = np.concatenate([stand_in.train_images, stand_in.test_images])
    for column in range(30):
        for number, share in enumerate((25, 50, 75)):
            threshold = np.percentile(table[:498, column], share)
            assert np.array_equal(both[:, 3 * column + number], table[:, column] > threshold)
    assert source_files("breast_cancer") == [] and stand_in.white == 1
