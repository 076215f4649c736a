"""Four short camera recordings, two by a camera that stands still and two by one that moves.

H.264 files that others distribute, unchanged, each told by its SHA-256: they were compressed with
loss, so there is less noise from frame to frame than in what a camera sees.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from plausible.data.dataset import Dataset, make_dataset
from plausible.data.fetch import PublishedFile, find_or_download, read_bytes, search_folders
from plausible.data.video import read_frames

SAMPLE = (36, 48)
SAMPLED_EVERY = 10
"""Rows and columns, and interval, of the pictures in the data set of the recordings."""
_RAW = "https://raw.githubusercontent.com/"
_INTEL = f"{_RAW}intel-iot-devkit/sample-videos/57978890822836f2b4743852f04f62fc511757e4/"


class Recording(NamedTuple):
    """A recording: what it shows, and where it is from."""

    title: str
    file: PublishedFile
    source: str
    """Address of the folder of the file."""
    credit: str
    """Who distributes it, and on which terms."""


RECORDINGS = {
    "people": Recording(
        "people at a table, camera fixed",
        PublishedFile(
            "one-by-one-person-detection.mp4",
            "a5964aa259099a482a8b360ffc2c57b5a30f84d5919236a4dad01f8e929ac07c",
        ),
        _INTEL,
        "Intel IoT DevKit sample videos, CC BY 4.0",
    ),
    "cars": Recording(
        "cars from above, camera nearly fixed",
        PublishedFile(
            "car-detection.mp4",
            "d31e0ebf194cc16e50eea784e7c3b0b1bb7976a4fb9b3fec26cb92a6704cca34",
        ),
        _INTEL,
        "Intel IoT DevKit sample videos, CC BY 4.0",
    ),
    "road": Recording(
        "a motorway from a driving car",
        PublishedFile(
            "solidWhiteRight.mp4",
            "2d8e14b46fe89afbc8ad1f718685cf09b83e85a324095031c38186a9f0535417",
        ),
        f"{_RAW}udacity/CarND-LaneLines-P1/ce5681be7ef8140560c0e464ef2da611e40b4fc9/test_videos/",
        "Udacity CarND-LaneLines-P1, MIT",
    ),
    "bird": Recording(
        "a cockatoo, camera held in the hand",
        PublishedFile(
            "cockatoo.mp4",
            "5fde35f5a288ca86e216d2dc28188ab64b4560d3021f273faefdf0de80f38aa5",
        ),
        f"{_RAW}imageio/imageio-binaries/f8f64710ea88e7e4a352c0f7d8c0deac9f5fd685/images/",
        "imageio standard images, public domain to the best of their knowledge",
    ),
}


def recording(name: str, data_dir: str | Path | None = None) -> Path:
    """The file of a recording, from the folder ``video`` of the data, else downloaded.

    Raises
    ------
    DataError
        If it is missing and cannot be downloaded, or is not the published file.
    """
    known = RECORDINGS[name]
    path = find_or_download(known.file, search_folders("video", data_dir), [known.source])
    read_bytes(path, known.file.sha256)
    return path


def prepare_recordings(data_dir: str | Path | None = None, name: str = "recordings") -> Dataset:
    """Small grey pictures of all recordings, every tenth frame, labelled by the recording.

    By them a run knows that the files are there, and which ones it saw; networks read the files
    themselves. The first two thirds of a recording are training images.
    """
    parts: dict[str, list] = {"train": [], "test": []}
    labels: dict[str, list] = {"train": [], "test": []}
    for label, each in enumerate(RECORDINGS):
        path = recording(each, data_dir)
        frames = np.stack(list(read_frames(path, SAMPLE, every=SAMPLED_EVERY)))
        grey = np.rint(frames.mean(axis=-1)).astype(np.uint8)
        cut = 2 * len(grey) // 3
        for part, images in (("train", grey[:cut]), ("test", grey[cut:])):
            parts[part].append(images)
            labels[part].append(np.full(len(images), label))
    train, test = (np.concatenate(parts[part]) for part in parts)
    known = [np.concatenate(labels[part]) for part in labels]
    return make_dataset(
        name, train, known[0], test, known[1], SAMPLE, white=255, classes=len(RECORDINGS)
    )
