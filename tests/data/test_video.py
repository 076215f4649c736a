"""Frames of clips and folders: which ones, how large, in what memory, and what is wrong."""

import subprocess
import sys
from itertools import islice

import av
import numpy as np
import pytest

from plausible.data.video import FOLDER_RATE_HZ, footage, read_frames, windows
from plausible.errors import DataError

from .clips import pictures, turn, write_clip, write_sound

SIZE = (24, 32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Thirty frames without loss."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.avi", pictures(30))


def levels(frames):
    """Grey level of the lower right corner of each frame."""
    return [int(frame[-1, -1, 0]) for frame in frames]


def test_every_frame_as_it_was_written(clip):
    found = np.stack(list(read_frames(clip, SIZE)))
    assert np.array_equal(found, pictures(30))
    assert footage(clip) == (24, 32, 10.0, 30)


def test_frames_that_are_asked_for(clip):
    shown = levels(pictures(30))
    assert levels(read_frames(clip, SIZE, every=7)) == shown[::7]
    assert levels(read_frames(clip, SIZE, every=4, first=2, count=3)) == shown[8:20:4]
    assert levels(read_frames(clip, SIZE, rate_hz=5.0)) == shown[::2]
    assert levels(read_frames(clip, SIZE, rate_hz=20.0))[:7] == np.repeat(shown, 2)[:7].tolist()


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "mpeg4", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
    ],
)
def test_usual_files(tmp_path, name, codec, pixels):
    """Compression with loss moves grey levels a little."""
    clip = write_clip(tmp_path / name, pictures(12), codec=codec, pixels=pixels)
    found = np.stack(list(read_frames(clip, SIZE))).astype(int)
    assert found.shape == (12, 24, 32, 3)
    assert np.abs(found - pictures(12))[:, 16:, 20:].mean() < 4


def test_a_frame_of_a_varying_rate_stands_until_the_next(tmp_path):
    times = [0, 1, 5, 6, 12]
    clip = write_clip(tmp_path / "a.mkv", pictures(5), times=times)
    held = [max(n for n, at in enumerate(times) if at <= tick) for tick in range(13)]
    assert levels(read_frames(clip, SIZE, rate_hz=10.0)) == [5 * number for number in held]
    assert len(list(read_frames(clip, SIZE))) == 5


def test_a_turned_clip_is_upright(tmp_path):
    plain = write_clip(tmp_path / "a.mp4", pictures(3), codec="mpeg4", pixels="yuv420p")
    before = next(read_frames(plain, SIZE))
    assert before[2, 2, 0] > before[2, -3, 0] + 50
    after = next(read_frames(turn(plain), SIZE[::-1]))
    # What was at the upper left is at the upper right after a quarter turn clockwise.
    assert after.shape == (32, 24, 3) and footage(plain)[:2] == (32, 24)
    assert after[2, -3, 0] > after[2, 2, 0] + 50
    assert np.array_equal(after, np.rot90(before, -1))


@pytest.mark.parametrize("size", [(24, 24), (7, 5), (50, 20), (24, 32)])
def test_what_is_seen_keeps_its_shape(clip, size):
    """The bright quarter of the frame stays where it is in the middle part that is shown."""
    frame = next(read_frames(clip, size))
    assert frame.shape == (*size, 3)
    assert frame[0, 0, 0] > 80 > frame[-1, -1, 0]


def test_odd_sides(tmp_path):
    clip = write_clip(tmp_path / "a.avi", pictures(2, 23, 37))
    found = np.stack(list(read_frames(clip, (23, 37))))
    assert np.array_equal(found, pictures(2, 23, 37))


def test_a_folder_of_pictures_in_the_order_of_their_numbers(tmp_path):
    for number in (0, 2, 10, 11):
        frame = av.VideoFrame.from_ndarray(pictures(12)[number], format="rgb24")
        frame.to_image().save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert levels(read_frames(tmp_path, SIZE)) == [0, 10, 50, 55]
    assert levels(read_frames(tmp_path, SIZE, rate_hz=FOLDER_RATE_HZ / 2)) == [0, 50]
    assert footage(tmp_path) == (24, 32, FOLDER_RATE_HZ, 4)


def test_windows_hold_every_frame_once():
    frames = [np.full((2, 2), number) for number in range(7)]
    found = list(windows(frames, 3))
    assert [len(part) for part in found] == [3, 3, 1]
    assert np.array_equal(np.concatenate(found), np.stack(frames))
    with pytest.raises(DataError, match="length 0"):
        next(windows(frames, 0))


def _sentence(source, **options):
    with pytest.raises(DataError) as error:
        list(read_frames(source, SIZE, **options))
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    return text


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, clip):
    assert "missing" in _sentence(tmp_path / "absent.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert "empty (0 bytes)" in _sentence(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("no video at all\n" * 50)
    assert "no video that can be read" in _sentence(tmp_path / "text.mp4")
    assert "no video stream, it holds audio" in _sentence(write_sound(tmp_path / "tone.wav"))
    (tmp_path / "folder").mkdir()
    assert "holds no picture" in _sentence(tmp_path / "folder")
    assert "expected one of them" in _sentence(clip, every=2, rate_hz=5.0)
    assert "at least 1" in _sentence(clip, every=0)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mpeg4"), ("a.avi", "mpeg4")])
def test_a_clip_that_was_cut_off(tmp_path, name, codec):
    """What is there is read, then it is said; whoever needs no more of it is not troubled."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (40, 64, 64, 3), dtype=np.uint8)
    clip = write_clip(tmp_path / name, noise, codec=codec, pixels="yuv420p")
    content = bytearray(clip.read_bytes())
    if name.endswith("mp4"):  # its table of contents stands at the end
        place = content.index(b"mdat") + 4
        content[place + len(content) // 3 : content.index(b"moov") - 4] = bytes(
            content.index(b"moov") - 4 - place - len(content) // 3
        )
    else:
        del content[len(content) // 2 :]
    clip.write_bytes(content)
    assert len(list(islice(read_frames(clip, (64, 64)), 5))) == 5
    text = _sentence(clip)
    assert "get" in text and "again" in text


LOOP = """
import resource, sys
from itertools import chain
from plausible.data.video import read_frames, windows
clip, times = sys.argv[1], int(sys.argv[2])
frames = chain.from_iterable(read_frames(clip, (240, 320)) for _ in range(times))
print(sum(len(part) for part in windows(frames, 8)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length(tmp_path):
    """A clip that is shown ten times; its frames alone would be 140 MB."""
    clip = write_clip(tmp_path / "a.avi", pictures(60, 240, 320), codec="mjpeg", pixels="yuvj420p")
    peaks = []
    for times in (1, 10):
        done = subprocess.run(
            [sys.executable, "-c", LOOP, clip, str(times)],
            capture_output=True,
            text=True,
            check=True,
        )
        frames, peak = map(int, done.stdout.split())
        assert frames == 60 * times
        peaks.append(peak / 1024)
    assert peaks[1] < peaks[0] + 20, peaks
