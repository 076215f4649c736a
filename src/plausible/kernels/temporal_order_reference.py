"""The temporal order in a few lines of numpy: slow and readable; `temporal_order` is its fast form.

O'Connor 2020, section 4.6.2 and appendix B.4. The size of the buffer (1000), the distance (L1; the
text of chapter 5 says L2) and the first frame (that of the file) are those of the author's code.
"""

import numpy as np


def greedy_order(frames: np.ndarray, buffer_size: int = 1000) -> np.ndarray:
    """Order in which each frame is followed by its nearest neighbour in a buffer: int64 ``[n]``.

    ``frames`` [n, pixels] are whole numbers. The first frame comes first. The buffer holds the next
    ``buffer_size`` frames of the file; the one nearest to the present frame in the L1 distance (of
    several the first in the buffer) is presented next, and the next frame of the file takes its
    place, as long as there is one.
    """
    frames = np.asarray(frames, np.int64)
    waiting = list(range(1, min(buffer_size + 1, len(frames))))
    taken = 1 + len(waiting)
    order = [0]
    while any(index >= 0 for index in waiting):
        distances = [
            np.abs(frames[order[-1]] - frames[index]).sum() if index >= 0 else np.inf
            for index in waiting
        ]
        nearest = int(np.argmin(distances))
        order.append(waiting[nearest])
        waiting[nearest] = taken if taken < len(frames) else -1
        taken += 1
    return np.array(order)
