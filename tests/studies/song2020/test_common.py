"""What the experiments of Song et al. 2020 share: networks, images, batches, finished tasks."""

import numpy as np
import pytest
import torch

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.reproduction.settings import ExperimentSettings
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    finished,
    images_and_targets,
    sizes_of,
)


@pytest.fixture(scope="module")
def digits():
    """The embedded digits."""
    return prepare("digits")


def test_sizes_of_the_paper():
    digits = prepare("digits")
    assert sizes_of(2, 32, digits) == (64, 32, 10)
    assert sizes_of(4, 32, digits) == (64, 32, 32, 32, 10)
    assert sizes_of(2, 5, prepare("breast_cancer")) == (90, 5, 2)


def test_networks_are_xavier_uniform():
    network = draw_network((300, 200, 10), torch.Generator().manual_seed(0))
    assert [tuple(weight.shape) for weight in network.weights] == [(300, 200), (200, 10)]
    for weight in network.weights:
        bound = np.sqrt(6 / sum(weight.shape))
        assert float(weight.abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(weight.var()) == pytest.approx(bound**2 / 3, rel=0.1)
    single = draw_network((300, 200, 10), torch.Generator().manual_seed(0), dtype=torch.float32)
    assert torch.equal(single.weights[1], network.weights[1].to(torch.float32))


def test_images_and_targets(digits):
    chosen = torch.tensor([5, 0, 1000])
    images, targets = images_and_targets(digits, chosen, torch.float32)
    assert images.dtype == targets.dtype == torch.float32
    assert torch.equal(images * 16, torch.from_numpy(digits.train_images[[5, 0, 1000]]))
    assert torch.equal(targets.argmax(dim=1), torch.from_numpy(digits.train_labels[[5, 0, 1000]]))
    assert bool((targets.sum(dim=1) == 1).all())


def test_batches_show_every_image_once_an_epoch():
    found = [batch.tolist() for batch in batches(12, 4, 7, torch.Generator().manual_seed(3))]
    assert [len(batch) for batch in found] == [4] * 7
    first, second = sum(found[:3], []), sum(found[3:6], [])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    uneven = list(batches(13, 4, 6, torch.Generator().manual_seed(3)))
    assert len(torch.cat(uneven[:3]).unique()) == 12


def test_batches_larger_than_the_data_set_are_refused():
    with pytest.raises(StudyError, match="batch_size: found 20, where at most 12"):
        list(batches(12, 20, 1, torch.Generator()))


def test_finished_tasks_are_not_computed_again(tmp_path, capsys):
    computed = []

    def compute(task):
        computed.append(task)
        return {"sum": sum(task)}

    tasks = [(1, 2), (3, 4), (5, 6)]
    settings = ExperimentSettings(checkpoints=tmp_path)
    first = list(finished(tasks, [1.0, 1.0, 1.0], settings, compute))
    assert first == [(task, {"sum": sum(task)}) for task in tasks] and computed == tasks
    assert list(finished(tasks, [1.0, 1.0, 1.0], settings, compute)) == first
    assert computed == tasks
    part = settings.model_copy(update={"shard": 1, "shards": 3})
    assert [task for task, _ in finished(tasks, [1.0, 1.0, 1.0], part, compute)] == [(3, 4)]
    assert "task 1 of 1: 3.4, 0 s" in capsys.readouterr().err
