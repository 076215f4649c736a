"""What is shown to which network: moving digits, recordings, or the videos of the thesis.

The thesis shows ILSVRC-2015 videos and YouTube-BB to VGG-19. Neither may be distributed; who has
them names their folders (``data.originals`` of the configuration). All others have digits that move
before a small network, and four recordings before SqueezeNet.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from plausible.data.dataset import Dataset, intensities
from plausible.data.moving_digits import moving_digit
from plausible.data.recordings import RECORDINGS, recording
from plausible.data.video import footage, read_frames
from plausible.errors import DataError
from plausible.networks.conv_graph import Geometry, Graph, geometry, read_graph
from plausible.networks.pretrained import Fire, Pretrained, squeezenet, vgg19
from plausible.seeds import numpy_generator, torch_seed
from plausible.studies.oconnor2020.video.settings import (
    DIGITS,
    ORIGINAL,
    RECORDED,
    DigitNetwork,
    Video,
)

ILSVRC = {
    "optimised_on": ("train_00033010", "train_00336001"),
    "shown": ("train_00033009", "train_00033007"),
}
"""Snippets of figure 4.5: the first one that is shown is static, the second one moves."""
SNIPPETS = 5
"""Videos of YouTube-BB of which frame rates are compared (appendix C.8)."""
LABELLED_SHARE = 2 / 3
"""Share of a recording from which training clips are taken; test clips are taken from the rest."""


class Scene(NamedTuple):
    """A video that is read anew each time."""

    name: str
    rate_hz: float
    read: Callable[..., Iterator[NDArray[np.uint8]]]
    """Frames; ``every``, ``first`` and ``count`` as in `read_frames`."""


class Clip(NamedTuple):
    """A labelled clip of a few frames."""

    part: str
    """training | test."""
    label: int
    frames: NDArray[np.uint8]


class Material(NamedTuple):
    """A network, and the scenes that it sees."""

    name: str
    network: Pretrained
    graph: Graph
    sizes: Geometry
    optimised_on: tuple[Scene, ...]
    shown: tuple[Scene, ...]
    """A scene in which little moves, and one in which much does."""
    snippets: tuple[Scene, ...]
    """Scenes for the frame rates."""
    clips: Callable[[], Iterator[Clip]]
    """Labelled clips."""

    @property
    def dense(self) -> int:
        """Products of a dense pass."""
        return sum(self.sizes.multiply_adds)


def _material(network: Pretrained, example: NDArray[np.uint8], **scenes) -> Material:
    graph = read_graph(network.module)
    shape = network.prepare(example).shape[1:]
    return Material(network=network, graph=graph, sizes=geometry(graph, shape), **scenes)


# ------------------------------------------------------------------------- moving digits


class DigitTrunk(nn.Module):
    """A convolution, a Fire module and another convolution; [frames, 32] features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.fire2 = nn.Conv2d(1, 12, 3, stride=2, padding=1), Fire(12, 8, 12)
        self.conv3 = nn.Conv2d(24, 32, 3, padding=1)
        self.pool, self.mean = nn.MaxPool2d(3, 2, ceil_mode=True), nn.AdaptiveMaxPool2d(1)

    def forward(self, frames):
        """[frames, 1, rows, columns] to [frames, 32]."""
        values = self.fire2(self.pool(torch.relu(self.conv1(frames))))
        values = torch.relu(self.conv3(self.pool(values)))
        return torch.flatten(self.mean(values), 1)


def _grey_input(frames: NDArray[np.uint8]) -> torch.Tensor:
    values = frames.astype(np.float32) / np.float32(255)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def digit_network(dataset: Dataset, settings: DigitNetwork, seed: int) -> Pretrained:
    """A small network that knows still digits at any place, trained from the data set."""
    rng = numpy_generator("oconnor2020", "video", "network", seed)
    trunk = DigitTrunk()
    module = nn.Sequential(trunk, nn.Linear(32, dataset.classes))
    generator = torch.Generator().manual_seed(torch_seed("oconnor2020", "video", "init", seed))
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter, generator=generator)
        else:
            parameter.data.zero_()
    digits = _as_digits(dataset.train_images, dataset)
    frames = np.concatenate([moving_digit(each, 1, 0.0, settings.size, rng) for each in digits])
    inputs = _grey_input(frames)
    labels = torch.from_numpy(dataset.train_labels)
    optimizer = torch.optim.Adam(module.parameters(), settings.learning_rate)
    for _ in range(settings.epochs):
        order = torch.from_numpy(rng.permutation(len(inputs)))
        for rows in order.split(settings.batch_size):
            # Another place of the frame each time: it is a torus for once.
            moved = torch.roll(inputs[rows], tuple(rng.integers(-4, 5, 2).tolist()), (2, 3))
            loss = nn.functional.cross_entropy(module(moved), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return Pretrained("digit network", module.eval(), settings.size, _grey_input, trunk.eval())


def _as_digits(images: NDArray[np.uint8], dataset: Dataset) -> NDArray[np.float64]:
    return intensities(images, dataset.white, np.float64).reshape(-1, *dataset.image_shape)


def digits_material(dataset: Dataset, settings: Video, seed: int) -> Material:
    """Digits that move slowly and fast, and the network that knows them."""
    chosen = settings.digits
    network = digit_network(dataset, chosen, seed)
    train, test = (
        (_as_digits(images, dataset), labels)
        for images, labels in (
            (dataset.train_images, dataset.train_labels),
            (dataset.test_images, dataset.test_labels),
        )
    )

    def scene(name: str, speed: float, images: NDArray) -> Scene:
        def read(every: int = 1, first: int = 0, count: int | None = None):
            rng = numpy_generator("oconnor2020", "video", "scene", name, seed)
            digit, wanted = images[rng.integers(len(images))], 10_000 if count is None else count
            frames = moving_digit(digit, (first + wanted - 1) * every + 1, speed, chosen.size, rng)
            yield from frames[first * every :: every]

        return Scene(name, 25.0, read)

    def clips() -> Iterator[Clip]:
        top = settings.top_layers
        for part, (images, labels), number in (
            ("training", train, top.training_clips),
            ("test", test, top.test_clips),
        ):
            rng = numpy_generator("oconnor2020", "video", "clips", part, seed)
            for label in range(dataset.classes):
                for index in rng.choice(np.flatnonzero(labels == label), number):
                    frames = moving_digit(
                        images[index], top.clip_frames, chosen.fast / 4, chosen.size, rng
                    )
                    yield Clip(part, label, frames)

    slow, fast = chosen.slow, chosen.fast
    return _material(
        network,
        np.zeros((1, chosen.size, chosen.size, 1), np.uint8),
        name=DIGITS,
        optimised_on=(scene("slow, optimised", slow, train[0]), scene("fast, 2", fast, train[0])),
        shown=(scene("slow digit", slow, test[0]), scene("fast digit", fast, test[0])),
        snippets=tuple(scene(f"snippet {number}", slow, test[0]) for number in range(5)),
        clips=clips,
    )


# ---------------------------------------------------------------------------- recordings


def _file_scene(name: str, path: Path, side: int) -> Scene:
    return Scene(name, footage(path).rate_hz, partial(read_frames, path, (side, side)))


def recordings_material(settings: Video) -> Material:
    """Four recordings, and SqueezeNet."""
    network = squeezenet(settings.data_dir)
    scenes = {
        name: _file_scene(name, recording(name, settings.data_dir), network.side)
        for name in RECORDINGS
    }

    def clips() -> Iterator[Clip]:
        for label, name in enumerate(RECORDINGS):
            frames = footage(recording(name, settings.data_dir)).frames
            yield from _cut(scenes[name], frames, label, settings)

    return _material(
        network,
        np.zeros((1, network.side, network.side, 3), np.uint8),
        name=RECORDED,
        optimised_on=(scenes["cars"], scenes["bird"]),
        shown=(scenes["people"], scenes["road"]),
        snippets=tuple(scenes.values()),
        clips=clips,
    )


def _cut(scene: Scene, frames: int, label: int, settings: Video) -> Iterator[Clip]:
    """Clips at equal distances, training clips from the first part of a scene; read once."""
    top, cut = settings.top_layers, int(LABELLED_SHARE * frames)
    starts: list[tuple[int, str]] = []
    for part, low, high, number in (
        ("training", 0, cut, top.training_clips),
        ("test", cut, frames, top.test_clips),
    ):
        if (high - low) < number * top.clip_frames:
            raise DataError(
                f"{scene.name}: {high - low} frames were found, too few for {number} {part} clips "
                f"of {top.clip_frames} frames."
            )
        places = np.linspace(low, high - top.clip_frames, number).astype(int)
        starts += [(int(place), part) for place in places]
    stream, at = scene.read(), 0
    for start, part in starts:
        found = list(islice(stream, start - at, start - at + top.clip_frames))
        at = start + top.clip_frames
        yield Clip(part, label, np.stack(found))


# ------------------------------------------------------------------------ the thesis's own


def original_material(settings: Video) -> Material | None:
    """The videos of the thesis and VGG-19, as far as their places were named.

    Without ILSVRC there are no scenes, without YouTube-BB no labelled clips and no snippets.
    """
    places = {name: place.expanduser() for name, place in settings.originals.items()}
    if "vgg19" not in places:
        return None
    network, labelled = vgg19(places["vgg19"]), places.get("youtube_bb")
    scenes: dict[str, tuple[Scene, ...]] = dict.fromkeys(ILSVRC, ())
    if "ilsvrc_video" in places:
        scenes = {
            role: tuple(
                _file_scene(name, _find(places["ilsvrc_video"], name), network.side)
                for name in names
            )
            for role, names in ILSVRC.items()
        }
    videos = [] if labelled is None else _test_videos(labelled)[:SNIPPETS]
    return _material(
        network,
        np.zeros((1, network.side, network.side, 3), np.uint8),
        name=ORIGINAL,
        **scenes,
        snippets=tuple(
            _file_scene(f"{path.parent.name} {path.stem}", path, network.side) for path in videos
        ),
        clips=partial(iter, ())
        if labelled is None
        else partial(_folder_clips, labelled, network.side, settings),
    )


def _test_videos(folder: Path) -> list[Path]:
    """The first test video of each class, then the second ones, and so on."""
    each = [enumerate(sorted(one.iterdir())) for one in _classes(folder / "test")]
    return [path for _, path in sorted(chain.from_iterable(each))]


def _classes(folder: Path) -> Sequence[Path]:
    """Folders of classes."""
    found = sorted(each for each in folder.glob("*") if each.is_dir())
    if not found:
        raise DataError(f"{folder}: expected is a folder for each class, found none.")
    return found


def _find(folder: Path, name: str) -> Path:
    """The folder of frames, or the file, whose name holds ``name``."""
    found = sorted(path for path in Path(folder).rglob(f"*{name}*"))
    if not found:
        raise DataError(
            f"{folder}: the snippet {name} is missing; expected is a video or a folder of frames "
            "with this in its name."
        )
    return found[0]


def _folder_clips(folder: Path, side: int, settings: Video) -> Iterator[Clip]:
    """Clips of ``<folder>/<train or test>/<class>/``, the first of each class."""
    top = settings.top_layers
    for part, name, number in (
        ("training", "train", top.training_clips),
        ("test", "test", top.test_clips),
    ):
        for label, each in enumerate(_classes(folder / name)):
            for path in sorted(each.iterdir())[:number]:
                frames = list(read_frames(path, (side, side), count=top.clip_frames))
                yield Clip(part, label, np.stack(frames))
