"""Two networks that were trained on ImageNet, from files that their authors distribute.

SqueezeNet 1.0 (Iandola et al. 2016) after deep compression (Han et al. 2016), 0.7 MB: input
227 x 227, channels blue, green, red, grey levels less the means of the channels. VGG-19 (Simonyan
and Zisserman 2015), the network of O'Connor 2020, sections 4.6.3 and 5.4.2, from the usual weights
of torchvision, 0.57 GB: input 224 x 224, channels red, green, blue, intensities less a mean, over a
deviation. A file is told by its SHA-256, and the network that is made of it by an activation.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plausible.data.deep_compression import decode_layers
from plausible.data.fetch import PublishedFile, find_or_download, read_bytes, search_folders
from plausible.errors import DataError

SQUEEZENET = PublishedFile(
    "compressed_SqueezeNet.net",
    "e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261",
)
SQUEEZENET_SOURCE = (
    "https://raw.githubusercontent.com/songhan/SqueezeNet-Deep-Compression/"
    "fb13faa2cf121ced9999f8a9d538ec6c56084733/"
)
SQUEEZENET_ACTIVATION = 2.606152
"""Mean of the 1,000 outputs, before the softmax, for `ramp`."""
VGG19_SHA256_BEGINS = "dcbb9e9d"
"""So ends the name of torchvision's file, by its convention."""
CLASSES = 1000
_WIDTHS = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128)} | {
    **{6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
}
"""Squeeze and expand width of each Fire module."""
_VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0)
"""Maps of each convolution of VGG-19; 0: pooling."""


class Pretrained(NamedTuple):
    """A network with what it takes."""

    name: str
    module: nn.Module
    side: int
    """Rows and columns of its input."""
    prepare: Callable[[NDArray[np.uint8]], Tensor]
    """Frames [frames, rows, columns, 3] (red, green, blue) as its input [frames, 3, rows, columns],
    float32."""
    trunk: nn.Module
    """The same without the layers that decide; its outputs are features [frames, features]."""


class Fire(nn.Module):
    """A squeezing convolution, and two expanding ones whose outputs are put together."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.conv1x1_1 = nn.Conv2d(inputs, squeeze, 1)
        self.conv1x1_2 = nn.Conv2d(squeeze, expand, 1)
        self.conv3x3_2 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        """[frames, inputs, rows, columns] to [frames, 2 expand, rows, columns]."""
        squeezed = torch.relu(self.conv1x1_1(values))
        expanded = [torch.relu(self.conv1x1_2(squeezed)), torch.relu(self.conv3x3_2(squeezed))]
        return torch.cat(expanded, 1)


class SqueezeNetTrunk(nn.Module):
    """All of SqueezeNet 1.0 below its last convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 7, stride=2)
        inputs = 96
        for number, (squeeze, expand) in _WIDTHS.items():
            setattr(self, f"fire{number}", Fire(inputs, squeeze, expand))
            inputs = 2 * expand
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)

    def forward(self, frames: Tensor) -> Tensor:
        """[frames, 3, rows, columns] to [frames, 512, rows, columns]."""
        values = self.pool(torch.relu(self.conv1(frames)))
        for number in _WIDTHS:
            values = getattr(self, f"fire{number}")(values)
            if number in (4, 8):
                values = self.pool(values)
        return values


class SqueezeNet(nn.Module):
    """SqueezeNet 1.0; outputs before the softmax, [frames, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = SqueezeNetTrunk()
        self.conv_final = nn.Conv2d(512, CLASSES, 1, padding=1)
        self.mean = nn.AdaptiveAvgPool2d(1)

    def forward(self, frames: Tensor) -> Tensor:
        """[frames, 3, rows, columns] to [frames, 1000]."""
        return torch.flatten(self.mean(torch.relu(self.conv_final(self.trunk(frames)))), 1)


def squeezenet(data_dir: str | Path | None = None) -> Pretrained:
    """SqueezeNet with its weights, from the folder ``weights`` of the data, else downloaded.

    Raises
    ------
    DataError
        If the file is missing and cannot be downloaded, or is not the published one.
    """
    path = find_or_download(SQUEEZENET, search_folders("weights", data_dir), [SQUEEZENET_SOURCE])
    module = SqueezeNet()
    shapes = {
        name.removesuffix(".weight"): tuple(values.shape)
        for name, values in module.state_dict().items()
        if name.endswith(".weight")
    }
    layers = decode_layers(read_bytes(path, SQUEEZENET.sha256), shapes, str(path))
    module.load_state_dict(
        {
            f"{layer}.{part}": torch.from_numpy(values)
            for layer, pair in layers.items()
            for part, values in zip(("weight", "bias"), pair, strict=True)
        }
    )
    features = nn.Sequential(module.trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = Pretrained("SqueezeNet 1.0", module.eval(), 227, _caffe_input, features.eval())
    check_activation(found, SQUEEZENET_ACTIVATION)
    return found


def _caffe_input(frames: NDArray[np.uint8]) -> Tensor:
    means = np.array([104.0, 117.0, 123.0], np.float32)
    values = frames[..., ::-1].astype(np.float32) - means
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def ramp(side: int) -> NDArray[np.uint8]:
    """A frame [1, side, side, 3] that any implementation can make: grey levels that rise."""
    rows, columns = np.mgrid[:side, :side]
    channels = [(2 * rows + columns) % 256, (rows + 3 * columns) % 256, (rows * columns) % 256]
    return np.stack(channels, axis=-1)[None].astype(np.uint8)


def activation(network: Pretrained) -> float:
    """Mean of the outputs for `ramp`."""
    with torch.no_grad():
        return float(network.module(network.prepare(ramp(network.side))).mean())


def check_activation(network: Pretrained, expected: float, tolerance: float = 1e-4) -> None:
    """Raise DataError unless the network does what it should with a frame that is known."""
    found = activation(network)
    if not abs(found - expected) <= tolerance * abs(expected):
        raise DataError(
            f"{network.name}: the mean of its outputs for the test frame is {found:.6g}, where "
            f"{expected:.6g} is expected; its weights are not in the places where they belong."
        )


def vgg19_module(width: int = 64, hidden: int = 4096, classes: int = CLASSES) -> nn.Sequential:
    """VGG-19 with the names of torchvision's parameters; ``width``: maps of the first layer."""
    features: list[nn.Module] = []
    inputs = 3
    for maps in _VGG:
        if maps:
            maps = maps * width // 64
            features += [nn.Conv2d(inputs, maps, 3, padding=1), nn.ReLU()]
            inputs = maps
        else:
            features.append(nn.MaxPool2d(2, 2))
    top = [nn.Linear(49 * inputs, hidden), nn.ReLU(), nn.Dropout()]
    top += [nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, classes)]
    parts = {"features": nn.Sequential(*features), "avgpool": nn.AdaptiveAvgPool2d(7)}
    whole = nn.Sequential()
    for name, part in parts.items():
        whole.add_module(name, part)
    whole.add_module("flatten", nn.Flatten())
    whole.add_module("classifier", nn.Sequential(*top))
    return whole


def vgg19(weights: str | Path, sha256_begins: str = VGG19_SHA256_BEGINS) -> Pretrained:
    """VGG-19 with torchvision's weights, ``vgg19-dcbb9e9d.pth``.

    Raises
    ------
    DataError
        If the file is missing, is not the published one, or does not fit.
    """
    path = Path(weights)
    if not path.is_file():
        raise DataError(
            f"{path}: the weights of VGG-19 are missing; torchvision distributes them as "
            f"vgg19-{VGG19_SHA256_BEGINS}.pth."
        )
    with open(path, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(sha256_begins):
        raise DataError(
            f"{path}: the SHA-256 of the weights of VGG-19 begins with {found[:8]}, expected is "
            f"{sha256_begins}; get the file again."
        )
    module = _filled(vgg19_module, path)
    trunk = nn.Sequential(module.features, module.avgpool, nn.Flatten()).eval()
    return Pretrained("VGG-19", module, 224, _torchvision_input, trunk)


def _filled(make: Callable[[], nn.Module], path: Path) -> nn.Module:
    """A module with the parameters of a file, every one of them in its shape."""
    module = make()
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict(stored)
    except Exception as error:  # torch raises what its reader meets
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise DataError(
            f"{path}: the file does not hold the parameters of this network ({reason})."
        ) from None
    return module.eval()


def _torchvision_input(frames: NDArray[np.uint8]) -> Tensor:
    means = np.array([0.485, 0.456, 0.406], np.float32)
    deviations = np.array([0.229, 0.224, 0.225], np.float32)
    values = (frames.astype(np.float32) / np.float32(255) - means) / deviations
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))
