"""The recordings: the files that are meant, and the pictures by which a run knows them."""

import numpy as np
import pytest

from plausible.data import recordings
from plausible.data.fetch import PublishedFile, find_file, search_folders
from plausible.errors import DataError

from .clips import pictures, write_clip


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Two recordings of our own, and their folder."""
    import hashlib

    (tmp_path / "video").mkdir()
    made = {}
    for name, length in (("short", 40), ("long", 61)):
        path = write_clip(tmp_path / "video" / f"{name}.avi", pictures(length))
        file = PublishedFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        made[name] = recordings.Recording(name, file, "file:///nowhere/", "ours")
    monkeypatch.setattr(recordings, "RECORDINGS", made)
    return tmp_path


def test_every_tenth_frame_of_each(known):
    found = recordings.prepare_recordings(known)
    assert found.train_labels.tolist() == [0, 0, 1, 1, 1, 1]
    assert found.test_labels.tolist() == [0, 0, 1, 1, 1]
    assert found.image_shape == (36, 48) and found.classes == 2
    right = found.train_images.reshape(-1, 36, 48)[:, -1, -1]
    assert right.tolist() == [0, 50, 0, 50, 100, 30]


def test_another_file_under_the_name(known):
    path = known / "video" / "long.avi"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match="not the published one"):
        recordings.prepare_recordings(known)


def test_a_file_that_is_not_there(known):
    (known / "video" / "short.avi").unlink()
    with pytest.raises(DataError, match="missing and could not be downloaded"):
        recordings.recording("short", known)


@pytest.mark.parametrize("name", recordings.RECORDINGS)
def test_the_published_files(name):
    if find_file(recordings.RECORDINGS[name].file.name, search_folders("video")) is None:
        pytest.skip("the recordings are not there")
    frame = next(recordings.read_frames(recordings.recording(name), recordings.SAMPLE))
    assert frame.shape == (36, 48, 3) and np.ptp(frame) > 50
