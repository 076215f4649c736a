"""Small convolutional networks of every kind of node, in float64."""

import torch
from torch import nn


class Branches(nn.Module):
    """Two branches from one sender, put together, with both kinds of pooling and linear maps."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3, stride=2, padding=1)
        self.squeeze = nn.Conv2d(6, 3, 1)
        self.one = nn.Conv2d(3, 4, 1, bias=False)
        self.three = nn.Conv2d(3, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.mean = nn.AvgPool2d(2)
        self.drop = nn.Dropout()
        self.top = nn.Linear(8 * 4, 5)
        self.out = nn.Linear(5, classes)

    def forward(self, frames):
        values = self.pool(torch.relu(self.first(frames)))
        squeezed = torch.relu(self.squeeze(values))
        values = torch.cat([torch.relu(self.one(squeezed)), torch.relu(self.three(squeezed))], 1)
        values = self.mean(values).flatten(1)
        return self.out(torch.relu(self.top(self.drop(values))))


FRAME = (2, 16, 16)


def branches(seed: int = 0, whole: bool = False) -> Branches:
    """The network with drawn weights; ``whole``: small whole numbers."""
    generator = torch.Generator().manual_seed(seed)
    network = Branches().double().eval()
    for parameter in network.parameters():
        size = 3.0 if whole else 0.5
        values = size * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data = values.round() if whole else values
    return network


def stream(frames: int, seed: int = 1, whole: bool = False) -> torch.Tensor:
    """A slow random walk, [frames, 2, 16, 16]."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn((frames, *FRAME), generator=generator, dtype=torch.float64)
    steps[1:] *= 0.3
    walk = torch.cumsum(steps, dim=0) * 3
    return walk.round() if whole else walk
