"""Names of data sets, and how each is made ready."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plausible.config import EMBEDDED_DATA_SETS
from plausible.data import mnist, user_folder
from plausible.data.dataset import Dataset
from plausible.data.fetch import find_file, search_folders
from plausible.data.splits import split_dataset
from plausible.errors import DataError

ExtraSets = Mapping[str, Mapping[str, Any]]
"""``data.sets`` of the configuration: see `plausible.data.user_folder`."""


_SPLITS = {"digits_thesis": ("digits", "thesis"), "mnist_thesis": ("mnist", "thesis")}
_NEWSGROUPS: dict[str, dict[str, Any]] = {
    "newsgroups": {},
    "newsgroups_shuffled": {"order": "shuffled"},
    "newsgroups_4to1": {"training_parts": 4, "order": "shuffled"},
}


def dataset_names(extra_sets: ExtraSets | None = None) -> tuple[str, ...]:
    """Every name that `prepare` knows."""
    return (*EMBEDDED_DATA_SETS, *(extra_sets or {}))


def prepare(
    name: str, data_dir: str | Path | None = None, extra_sets: ExtraSets | None = None
) -> Dataset:
    """Read the data set ``name``, downloading it if it is neither embedded nor there.

    ``digits`` and the table ``breast_cancer`` are embedded. ``mnist`` and ``newsgroups`` are looked
    for in ``data_dir``, else in the folder that the environment variable PLAUSIBLE_DATA names, else
    in the user's cache. ``digits_thesis`` and ``mnist_thesis`` are divided as in O'Connor 2020 (see
    ``plausible.data.splits``), ``newsgroups_shuffled`` and ``newsgroups_4to1`` are other readings
    of newsgroups: in random order, and this divided 4 : 1 instead of 7 : 1. ``recordings`` are
    small pictures of four videos (see ``plausible.data.recordings``).
    Every other name must be a key of ``extra_sets`` (see ``plausible.data.user_folder``).

    Raises
    ------
    DataError
        If the name is unknown, or a file is missing, damaged or mislabelled.
    """
    extra_sets = extra_sets or {}
    if name in extra_sets:
        return user_folder.read_folder(name, extra_sets[name])
    if name == "digits":
        from plausible.data.digits import embedded_digits

        return embedded_digits()
    if name == "mnist":
        return mnist.prepare_mnist(data_dir)
    if name == "breast_cancer":
        from plausible.data.tabular import breast_cancer

        return breast_cancer()
    if name in _SPLITS:
        whole, split = _SPLITS[name]
        return split_dataset(prepare(whole, data_dir), split)
    if name in _NEWSGROUPS:
        from plausible.data.newsgroups import prepare_newsgroups

        return prepare_newsgroups(data_dir, name=name, **_NEWSGROUPS[name])
    if name == "recordings":
        from plausible.data.recordings import prepare_recordings

        return prepare_recordings(data_dir)
    nearest = difflib.get_close_matches(name, dataset_names(extra_sets), n=1)
    hint = f" (nearest: {nearest[0]})" if nearest else ""
    raise DataError(
        f"The data set {name} is unknown; known are {', '.join(dataset_names(extra_sets))}{hint}, "
        "and more can be named under data.sets in the configuration."
    )


def source_files(
    name: str, data_dir: str | Path | None = None, extra_sets: ExtraSets | None = None
) -> list[Path]:
    """Files on this machine that `prepare` would read now; empty for what is embedded or absent."""
    if name in (extra_sets or {}):
        return user_folder.source_files(extra_sets[name])
    if name in ("mnist", "mnist_thesis"):
        files, folders = mnist.FILES, search_folders("mnist", data_dir)
    elif name in _NEWSGROUPS:
        from plausible.data.newsgroups import PARTS

        files, folders = PARTS.values(), search_folders("newsgroups", data_dir)
    elif name == "recordings":
        from plausible.data.recordings import RECORDINGS

        files = [each.file for each in RECORDINGS.values()]
        folders = search_folders("video", data_dir)
    else:
        return []
    return [path for file in files if (path := find_file(file.name, folders))]
