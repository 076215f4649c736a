"""Pretraining as in chapter 4 of O'Connor 2020: plain SGD on NLL, file order, Glorot normal."""

import torch
from torch.nn.functional import linear, nll_loss

from plausible.data.dataset import Dataset
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import train
from plausible.networks.mlp import init_network
from plausible.seeds import torch_seed

SETTINGS = TrainingSettings(
    hidden_sizes=(24, 20),
    activation="relu",
    init="glorot_normal",
    learning_rate=0.01,
    batch_size=20,
    epochs=2,
    shuffle=False,
    dtype="float64",
)


def test_training_is_plain_descent_on_the_negative_log_likelihood(digits: Dataset):
    ours = train(SETTINGS, digits, "tests", "group", 3).network
    generator = torch.Generator().manual_seed(torch_seed("tests", "group", 3, "init"))
    fresh = init_network((64, 24, 20, 10), SETTINGS, generator)
    leaves = [each.clone().requires_grad_() for each in (*fresh.weights, *fresh.biases)]
    images = torch.from_numpy(digits.train_images).double() / 16
    labels = torch.from_numpy(digits.train_labels).long()
    for _ in range(2):
        for rows, wanted in zip(images.split(20), labels.split(20), strict=True):
            activity = torch.relu(linear(rows, leaves[0].t(), leaves[3]))
            activity = torch.relu(linear(activity, leaves[1].t(), leaves[4]))
            logits = linear(activity, leaves[2].t(), leaves[5])
            loss = nll_loss(torch.log_softmax(logits, 1), wanted)
            gradients = torch.autograd.grad(loss, leaves)
            with torch.no_grad():
                for leaf, gradient in zip(leaves, gradients, strict=True):
                    leaf -= 0.01 * gradient
    for found, expected in zip((*ours.weights, *ours.biases), leaves, strict=True):
        assert torch.allclose(found, expected, rtol=1e-10, atol=1e-14)
