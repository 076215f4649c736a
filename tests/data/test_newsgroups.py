"""Newsgroups: read, divided, made into binary bags of words; and the table that stands in."""

import gzip
import json
import shutil

import numpy as np
import pytest

from plausible.data import newsgroups, prepare, source_files
from plausible.data.newsgroups import (
    GROUPS,
    Post,
    bag_of_words,
    encode_posts,
    load_posts,
    ordered,
    post_words,
    prepare_newsgroups,
    vocabulary,
)
from plausible.errors import DataError


@pytest.fixture(scope="module")
def posts_dir(data_dir):
    if None in newsgroups.find_files(data_dir):
        pytest.skip("the newsgroups are not on this machine")
    return data_dir


def made_up(number: int, group: int, text: str = "word") -> Post:
    return Post(number, GROUPS[group], f"From: nobody\nSubject: none\n\n{text}")


def test_known_numbers_of_posts(posts_dir) -> None:
    """Of the bydate edition."""
    train, test = load_posts(posts_dir)
    assert [sum(post.group == group for post in train) for group in GROUPS] == [591, 594]
    assert [sum(post.group == group for post in test) for group in GROUPS] == [393, 396]
    assert all(
        post.text.startswith(("From", "Subject", "Path", "Organ", "X")) for post in train[:50]
    )


def test_files_are_made_as_they_were_found(posts_dir) -> None:
    for path, posts in zip(
        source_files("newsgroups", posts_dir), load_posts(posts_dir), strict=True
    ):
        assert encode_posts(posts[::-1]) == gzip.decompress(path.read_bytes())


def test_subject_and_body_count_and_other_headers_do_not() -> None:
    text = (
        "From: someone@there\nSubject: Re: Voltage\nOrganization: hospital\n\nCurrents\n\nflow: so"
    )
    assert post_words(text) == ["voltag", "current", "flow"]


def test_vocabulary_and_bags_by_hand() -> None:
    posts = [["b", "a", "a"], ["c", "b"], []]
    assert vocabulary(posts, None) == ["a", "b", "c"] and vocabulary(posts, 1) == ["a"]
    assert bag_of_words([*posts, ["x", "c", "c"]], ["a", "b"]).tolist() == [
        [1, 1],
        [0, 1],
        [0, 0],
        [0, 0],
    ]


def test_chronological_order_takes_parts_numbers_and_groups_in_turn() -> None:
    train = [made_up(number, group) for group in (0, 1) for number in (1, 2, 9)]
    test = [made_up(number, group) for group in (0, 1) for number in (5, 6, 7)]
    posts = ordered([train, test], "chronological")
    for group in GROUPS:
        assert [p.number for p in posts if p.group == group] == [1, 2, 9, 5, 6, 7]
    assert [GROUPS.index(post.group) for post in posts] == [0, 1] * 6
    shuffled = ordered([train, test], "shuffled")
    assert shuffled != posts and sorted(shuffled) == sorted(posts)
    assert shuffled == ordered([train, test], "shuffled")
    with pytest.raises(DataError, match="chronological, shuffled"):
        ordered([train, test], "alphabetical")


@pytest.fixture(scope="module")
def prepared(posts_dir):
    return prepare("newsgroups", posts_dir)


def test_division_of_the_thesis(prepared) -> None:
    assert len(prepared.train_images) == 1727 and len(prepared.test_images) == 247
    assert prepared.white == 1 and prepared.image_shape == (1, 2000)
    assert set(np.unique(prepared.train_images)) == {0, 1}
    for labels in (prepared.train_labels, prepared.test_labels):
        assert set(labels) == {0, 1} and labels.mean() == pytest.approx(0.5, abs=0.01)


def test_features_are_those_of_the_posts(prepared, posts_dir) -> None:
    posts = ordered(load_posts(posts_dir), "chronological")
    known = vocabulary([post_words(post.text) for post in posts[:1727]], 2000)
    both = np.concatenate([prepared.train_images, prepared.test_images])
    labels = np.concatenate([prepared.train_labels, prepared.test_labels])
    for index in (0, 1, 500, 1726, 1727, 1973):
        found = set(post_words(posts[index].text))
        assert both[index].tolist() == [int(word in found) for word in known]
        assert GROUPS[labels[index]] == posts[index].group


def test_the_features_tell_the_groups_apart(prepared) -> None:
    """Half of the posts would be right by chance.

    A model of the words that are there; one that also counts those that are not (Bernoulli) takes
    short posts for one class.
    """
    from sklearn.naive_bayes import MultinomialNB

    model = MultinomialNB().fit(prepared.train_images, prepared.train_labels)
    assert model.score(prepared.test_images, prepared.test_labels) > 0.9


def copy_posts(posts_dir, folder):
    (folder / "newsgroups").mkdir()
    for path in source_files("newsgroups", posts_dir):
        shutil.copy(path, folder / "newsgroups" / path.name)


def test_plain_files_are_read_too(posts_dir, tmp_path) -> None:
    for path in source_files("newsgroups", posts_dir):
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    assert load_posts(tmp_path) == load_posts(posts_dir)


def test_changed_posts_are_noticed(posts_dir, tmp_path) -> None:
    copy_posts(posts_dir, tmp_path)
    path = tmp_path / "newsgroups" / f"{newsgroups.FILES[1].name}.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    rows[3]["group"] = "sci.med"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    with pytest.raises(DataError, match="not the posts expected") as caught:
        load_posts(tmp_path)
    assert str(path) in str(caught.value) and "delete the file" in str(caught.value)


def test_damaged_file(posts_dir, tmp_path) -> None:
    copy_posts(posts_dir, tmp_path)
    path = tmp_path / "newsgroups" / f"{newsgroups.FILES[0].name}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="truncated"):
        load_posts(tmp_path)


def test_missing_posts_are_downloaded_once_and_checked(posts_dir, tmp_path) -> None:
    parts = dict(zip(("train", "test"), load_posts(posts_dir), strict=True))
    asked = []

    def fetch(part):
        asked.append(part)
        return parts[part][::-1]

    assert load_posts(tmp_path, fetch) == list(parts.values())
    assert load_posts(tmp_path, fetch) == list(parts.values()) and asked == ["train", "test"]


@pytest.mark.parametrize("answer", ["nothing", "others"])
def test_a_failed_download_is_one_sentence_with_a_way_out(answer, tmp_path) -> None:
    def fetch(part):
        if answer == "nothing":
            raise ConnectionError("no route\nto host")
        return [made_up(1, 0)]

    with pytest.raises(DataError) as caught:
        load_posts(tmp_path, fetch)
    sentence = str(caught.value)
    target = tmp_path / "newsgroups" / f"{newsgroups.FILES[0].name}.gz"
    for word in (str(target), newsgroups.FILES[0].plain_sha256, "data.dir", "PLAUSIBLE_DATA"):
        assert word in sentence
    assert "`scale: demo`" in sentence and "\n" not in sentence and sentence.endswith(".")
    assert not target.exists()


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
