"""Data sets as arrays of grey levels or of binary features.

Embedded digits, MNIST, any four IDX files; newsgroups and a table that stands in for them.
"""

from plausible.data.dataset import CLASSES, Dataset, intensities, make_dataset
from plausible.data.registry import dataset_names, prepare, source_files
from plausible.data.splits import split_dataset
from plausible.data.store import load_dataset, save_dataset

__all__ = [
    "CLASSES",
    "Dataset",
    "dataset_names",
    "intensities",
    "load_dataset",
    "make_dataset",
    "prepare",
    "save_dataset",
    "source_files",
    "split_dataset",
]
