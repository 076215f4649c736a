"""Small clips, written by FFmpeg without loss where that matters."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def pictures(frames: int, rows: int = 24, columns: int = 32) -> NDArray[np.uint8]:
    """Frames whose grey level is their number, with a bright upper left quarter."""
    found = np.empty((frames, rows, columns, 3), np.uint8)
    found[:] = (5 * np.arange(frames) % 120)[:, None, None, None]
    found[:, : rows // 2, : columns // 2] += 100
    return found


def write_clip(
    path: Path,
    frames: NDArray[np.uint8],
    rate: int = 10,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    times: list[int] | None = None,
) -> Path:
    """A clip of ``frames``; ``times``: of each of them, in units of 1 / ``rate``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, rate)
        for number, values in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(values, format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A file with a tone and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn(path: Path) -> Path:
    """Tell in an mp4 file that its frames are to be shown a quarter turn clockwise.

    The matrix of the track header (ISO 14496-12, 8.3.2) is (0, 1, 0, -1, 0, 0, 0, 0, 1).
    """
    content = bytearray(path.read_bytes())
    header = content.index(b"tkhd") + 4
    matrix = header + 40  # version 0: flags, times, track, duration, layer, volume and reserves
    one, last = 1 << 16, 1 << 30
    values = (0, one, 0, -one, 0, 0, 0, 0, last)
    content[matrix : matrix + 36] = b"".join(
        each.to_bytes(4, "big", signed=True) for each in values
    )
    path.write_bytes(content)
    return path
