"""How the thesis trains by equilibrium propagation, in chapters 2, 7 and 8 alike.

O'Connor 2020, section 7.4, and the author's code: minibatches in the order of the file; at its
checkpoints the errors on test images and on the first 10,000 training images. A run whose training
error is still above 50 % after epoch 2 has failed and is stopped.
"""

from typing import Any

import numpy as np

from plausible.learning.equilibrium_training import Failure, TrainingSchedule

FAILED = Failure(after=2.0, percent=50.0)
TESTED_TRAINING = 10_000
"""First training images, on which the training error is taken."""


def training_schedule(stops: tuple[float, ...], batch: int, **changes: Any) -> TrainingSchedule:
    """The author's, tested at ``stops``, with ``changes`` of its fields."""
    found = TrainingSchedule(stops, batch, failure=FAILED, tested_training_images=TESTED_TRAINING)
    return found._replace(**changes)


def checkpoint_epochs(last: float) -> tuple[float, ...]:
    """Stops of the author's code: quarters until epoch 1, halves until 5, wholes until 10, every
    second until 50, every fourth afterwards; and the last epoch.
    """
    spacings = ((1, 0.25), (5, 0.5), (10, 1.0), (50, 2.0), (np.inf, 4.0))
    found, epoch = [0.0], 0.0
    while epoch < last:
        epoch += next(spacing for limit, spacing in spacings if epoch < limit)
        found.append(min(epoch, float(last)))
    return tuple(found)
