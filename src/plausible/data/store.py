"""Prepared data sets on disk: one uncompressed .npz whose bytes depend on the content alone."""

import zipfile
from pathlib import Path

import numpy as np

from plausible.data.dataset import Dataset, content_checksum
from plausible.errors import DataError
from plausible.files import atomic_path

_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


def save_dataset(path: str | Path, dataset: Dataset) -> None:
    """Write ``dataset`` to ``path`` (.npz), completely or not at all.

    Not compressed: the file is read once per job, and reading must not cost a second. numpy gives
    the members of the archive a fixed date, so equal data give equal bytes.
    """
    with atomic_path(path) as temporary:
        np.savez(temporary, allow_pickle=False, **dataset._asdict())


def load_dataset(path: str | Path) -> Dataset:
    """Read the data set that `save_dataset` wrote.

    Raises
    ------
    DataError
        If the file is missing, is no such archive, lacks a part, or its content does not fit the
        checksum that it holds.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = {key: archive[key] for key in Dataset._fields}
    except FileNotFoundError:
        raise DataError(
            f"{path}: the prepared data set is missing; the workflow makes it "
            f"(`snakemake --cores 1 {path}`)."
        ) from None
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: this is not a prepared data set ({type(error).__name__}: {error}); delete "
            "the file and run the workflow again."
        ) from None
    dataset = Dataset(
        name=str(values["name"]),
        **{key: values[key] for key in _ARRAYS},
        image_shape=tuple(int(side) for side in values["image_shape"]),
        white=int(values["white"]),
        checksum=str(values["checksum"]),
    )
    if content_checksum(*dataset[1:7]) != dataset.checksum:
        raise DataError(
            f"{path}: the content does not have the checksum {dataset.checksum} that stands in "
            "the file; delete the file and run the workflow again."
        )
    return dataset
