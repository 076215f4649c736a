"""Figure C.3 and the top of figure 4.5: sample frames, as small pictures in a table."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plausible.studies.oconnor2020.video.material import Material
from plausible.studies.oconnor2020.video.settings import Video

Rows = list[dict[str, Any]]
SAMPLES = 16


def pictures(material: Material, settings: Video) -> Rows:
    """Rows ``picture``: ``shown`` (splice, sample), frame, label, rows, columns, pixels.

    ``pixels``: red, green and blue of each pixel in hexadecimal digits, row by row.
    """
    return [*_spliced(material, settings), *_samples(material, settings)]


def _spliced(material: Material, settings: Video) -> Iterator[dict[str, Any]]:
    count, across = settings.splice_frames, settings.pictures.across
    wanted = set(np.linspace(0, 2 * count - 1, across).astype(int).tolist())
    frames = chain.from_iterable(scene.read(count=count) for scene in material.shown)
    for number, frame in enumerate(frames):
        if number in wanted:
            scene = material.shown[number // count].name
            yield _row("splice", number, scene, frame, settings.pictures.side)


def _samples(material: Material, settings: Video) -> Iterator[dict[str, Any]]:
    """Frames of the training clips, evenly from all of them."""
    top = settings.top_layers
    clips = [clip for clip in material.clips() if clip.part == "training"]
    chosen = np.linspace(0, len(clips) * top.clip_frames - 1, SAMPLES).astype(int)
    for number, place in enumerate(chosen):
        clip = clips[place // top.clip_frames]
        frame = clip.frames[min(place % top.clip_frames, len(clip.frames) - 1)]
        yield _row("sample", number, f"class {clip.label}", frame, settings.pictures.side)


def _row(
    shown: str, number: int, scene: str, frame: NDArray[np.uint8], side: int
) -> dict[str, Any]:
    small = _small(frame, side)
    rows, columns = small.shape[:2]
    found = {"element": "picture", "shown": shown, "frame": number, "scene": scene}
    return found | {"rows": rows, "columns": columns, "pixels": small.tobytes().hex()}


def _small(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Means of equal squares; what is left over at two borders is cut off."""
    step = max(1, -(-min(frame.shape[:2]) // side))
    rows, columns = (length // step for length in frame.shape[:2])
    cut = frame[: rows * step, : columns * step].astype(float)
    means = cut.reshape(rows, step, columns, step, -1).mean(axis=(1, 3))
    return np.broadcast_to(np.rint(means), (rows, columns, 3)).astype(np.uint8)
