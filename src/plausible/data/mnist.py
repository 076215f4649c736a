"""MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels, in the original order.

The four published files are looked for in a folder, else downloaded from one of several mirrors;
either way they must have the published checksums.
"""

from pathlib import Path

from plausible.data import idx
from plausible.data.dataset import Dataset, make_dataset
from plausible.data.fetch import PublishedFile, find_or_download, search_folders

WHITE = 255
SHAPE = (28, 28)
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
READERS = (idx.read_images, idx.read_labels, idx.read_images, idx.read_labels)
"""How each of `FILES` is read."""
FILES = (
    PublishedFile(
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    PublishedFile(
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    PublishedFile(
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    PublishedFile(
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)


def prepare_mnist(data_dir: str | Path | None = None) -> Dataset:
    """MNIST as a Dataset, read from disk, after a download if it is not there.

    Raises
    ------
    DataError
        If a file is damaged, or is missing and cannot be downloaded.
    """
    folders = search_folders("mnist", data_dir)
    arrays = (
        read(find_or_download(file, folders, MIRRORS), file.sha256)
        for file, read in zip(FILES, READERS, strict=True)
    )
    return make_dataset("mnist", *arrays, SHAPE, WHITE)
