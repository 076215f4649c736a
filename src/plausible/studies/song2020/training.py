"""The long trainings of this study: networks that start alike and see the same batches."""

from typing import Any

from plausible.learning.predictive_training import Images, Trained, network_rule, train_network
from plausible.learning.readings import Reading
from plausible.studies.song2020.common import STUDY
from plausible.studies.song2020.settings import Trainings


def train(
    images: Images,
    reading: Reading,
    settings: Trainings,
    l_max: int,
    seed: int,
    batch_size: int,
    noise_key: str = "",
    **variant: Any,
) -> Trained:
    """One network of ``settings``; ``variant`` are arguments of its rule (``network_rule``)."""
    return train_network(
        images,
        reading,
        network_rule(reading, l_max, batch_size, **variant),
        stream=STUDY,
        seed=seed,
        l_max=l_max,
        hidden=settings.hidden,
        epochs=settings.epochs,
        batch_size=batch_size,
        weight_limit=settings.weight_limit,
        noise_key=noise_key,
    )
