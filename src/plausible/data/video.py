"""Clips and folders of pictures as a stream of frames of one size, a window at a time.

A frame is uint8 ``[rows, columns, 3]``, red, green and blue. Nothing but the frame that is decoded
is held, so memory depends on the size of a window and not on the length of a clip. Frames are
upright (a clip says how it is to be turned), scaled so that they cover the wanted size, and cut to
it around the middle. Frames are taken by number (every n-th), or by time (``rate_hz``), which is
what a clip with a varying frame rate needs: each frame stands until the next one.
"""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import DataError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".webp")
"""Ends of the names of pictures in a folder of frames."""
FOLDER_RATE_HZ = 25.0
"""Frame rate of a folder of pictures unless another one is stated."""

Frame = NDArray[np.uint8]


class Footage(NamedTuple):
    """What a clip says of itself."""

    rows: int
    """Of an upright frame."""
    columns: int
    rate_hz: float
    """Mean frame rate."""
    frames: int
    """Number of frames by the header; 0 where it does not say."""


def footage(source: str | Path) -> Footage:
    """Size and frame rate of a clip or of a folder of pictures.

    Raises
    ------
    DataError
        As `read_frames`.
    """
    path = _existing(source)
    files = _pictures(path) if path.is_dir() else [path]
    first, _ = next(_decoded(files[0]))
    sides = _shaped(first, None).shape[:2]
    if path.is_dir():
        return Footage(*sides, FOLDER_RATE_HZ, len(files))
    with _opened(path) as container:
        stream = container.streams.video[0]
        return Footage(*sides, _rate(stream), stream.frames)


def read_frames(
    source: str | Path,
    size: tuple[int, int],
    *,
    every: int = 1,
    rate_hz: float | None = None,
    first: int = 0,
    count: int | None = None,
) -> Iterator[Frame]:
    """Frames of a clip (mp4, avi, webm, ...) or of a folder of pictures, one after the other.

    Parameters
    ----------
    source:
        A file that FFmpeg reads, or a folder whose pictures are taken in the order of the numbers
        in their names.
    size:
        (rows, columns) of the frames that are returned.
    every:
        Every n-th frame is taken, the first one included.
    rate_hz:
        Frames at the times 0, 1 / rate_hz, ... since the first one instead: of each time the frame
        that is shown then. A folder has `FOLDER_RATE_HZ`.
    first, count:
        Frames that are left out at the beginning, and how many are returned at most, both of those
        that are taken.

    Raises
    ------
    DataError
        One sentence, if the source is missing, empty, no video, without a picture, or damaged
        before the last frame that is asked for; or if a number is out of range.
    """
    path = _existing(source)
    _check(size, every, rate_hz, first, count)
    files = _pictures(path) if path.is_dir() else [path]

    def decoded() -> Iterator[tuple[Any, float]]:
        for number, file in enumerate(files):
            for frame, time in _decoded(file):
                yield frame, number / FOLDER_RATE_HZ if path.is_dir() else time

    taken = (
        (frame for frame, _ in islice(decoded(), 0, None, every))
        if rate_hz is None
        else _at_times(decoded(), rate_hz)
    )
    end = None if count is None else first + count
    return (_shaped(frame, size) for frame in islice(taken, first, end))


def windows(frames: Iterable[NDArray], length: int) -> Iterator[NDArray]:
    """Successive frames put together, ``[at most length, ...]``."""
    if length < 1:
        raise DataError(f"windows of frames: found the length {length}, expected at least 1.")
    stream = iter(frames)
    while part := list(islice(stream, length)):
        yield np.stack(part)


def _check(size: Any, every: int, rate_hz: float | None, first: int, count: int | None) -> None:
    fits = len(size) == 2 and all(side == int(side) and side >= 1 for side in size)
    fits = fits and every >= 1 and first >= 0 and (count is None or count >= 0)
    if not fits or (rate_hz is not None and not 0 < rate_hz < math.inf):
        raise DataError(
            f"frames of a video: found size {size}, every {every}, rate_hz {rate_hz}, first "
            f"{first}, count {count}; expected are two sides and an interval of at least 1, a rate "
            "above 0, numbers of frames of at least 0."
        )
    if rate_hz is not None and every != 1:
        raise DataError("frames of a video: found both every and rate_hz, expected one of them.")


def _existing(source: str | Path) -> Path:
    path = Path(source)
    if not path.exists():
        raise DataError(f"{path}: the video is missing; correct the name or put it there.")
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"{path}: the video is empty (0 bytes); get it again.")
    return path


def _pictures(folder: Path) -> list[Path]:
    """Pictures of a folder by the numbers in their names."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    if not found:
        raise DataError(
            f"{folder}: the folder holds no picture; expected are files that end in "
            f"{', '.join(PICTURES)}."
        )

    def by_number(path: Path) -> tuple:
        parts = re.split(r"(\d+)", path.name)
        return tuple(int(part) if part.isdigit() else part for part in parts)

    return sorted(found, key=by_number)


def _opened(path: Path) -> Any:
    """The container of a file with a video stream."""
    import av  # FFmpeg; loaded for those alone who read a video

    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(f"{path}: this is no video that can be read ({_reason(error)}).") from None
    if not container.streams.video:
        held = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        container.close()
        raise DataError(f"{path}: the file has no video stream, it holds {held}.")
    return container


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _rate(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or FOLDER_RATE_HZ)


def _decoded(path: Path) -> Iterator[tuple[Any, float]]:
    """Frames of a file as FFmpeg has them, with their times in s since the first.

    A file that breaks off gives the frames before the break, then DataError.
    """
    import av

    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        rate, number, begin = _rate(stream), 0, None
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise DataError(
                        f"{path}: frame {number} is damaged or its end is missing; get the video "
                        "again."
                    )
                time = number / rate if frame.time is None else frame.time
                begin = time if begin is None else begin
                yield frame, time - begin
                number += 1
        except av.error.FFmpegError as error:
            raise DataError(
                f"{path}: the video cannot be decoded after frame {number} ({_reason(error)}); get "
                "it again."
            ) from None
        # A file that was cut off ends without an error; edit lists may hide a few frames.
        if number == 0 or number < 0.9 * stream.frames:
            raise DataError(
                f"{path}: {number} frames were found, where the file announces "
                f"{stream.frames or 'some'}; it is damaged or its end is missing, get it again."
            )


def _shaped(frame: Any, size: tuple[int, int] | None) -> Frame:
    """Upright frame of a size (None: its own); the scaling keeps the shape of what is seen."""
    turns = round(frame.rotation / 90) % 4
    if size is None:
        return np.rot90(frame.to_ndarray(format="rgb24"), turns)
    sides = (frame.height, frame.width)
    wanted = size[::-1] if turns % 2 else size
    factor = max(new / old for new, old in zip(wanted, sides, strict=True))
    scaled = [max(new, round(old * factor)) for new, old in zip(wanted, sides, strict=True)]
    values = frame.reformat(
        width=scaled[1], height=scaled[0], format="rgb24", interpolation="AREA"
    ).to_ndarray()
    rows, columns = ((old - new) // 2 for old, new in zip(scaled, wanted, strict=True))
    cut = values[rows : rows + wanted[0], columns : columns + wanted[1]]
    return np.ascontiguousarray(np.rot90(cut, turns))


def _at_times(frames: Iterable[tuple[Any, float]], rate_hz: float) -> Iterator[Any]:
    """The frame that is shown at each multiple of 1 / rate_hz."""
    shown, due = None, 0
    for frame, time in frames:
        # Times are rounded to the clock of the file: a thousandth of an interval decides nothing.
        while shown is not None and due < time * rate_hz - 1e-3:
            yield shown
            due += 1
        shown = frame
    if shown is not None and due < time * rate_hz + 1e-3:
        yield shown
