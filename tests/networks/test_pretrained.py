"""Networks trained on ImageNet: weights in their places, files that are the right ones."""

import hashlib

import numpy as np
import pytest
import torch

from plausible.data.deep_compression import decode_layers
from plausible.data.fetch import find_file, search_folders
from plausible.errors import DataError
from plausible.networks import pretrained


def compressed(weights, biases):
    """What `decode_layers` reads, written by the letter of the format."""
    parts, counts = [], []
    for name, weight in weights.items():
        values, codes = np.unique(weight, return_inverse=True)
        values = np.concatenate([[0.0], values, np.zeros(255 - len(values))]).astype("<f4")
        codes = codes.ravel() + 1
        stored, last, gaps, kept = np.flatnonzero(weight.ravel()), -1, [], []
        for place in stored:
            while place - last - 1 > 15:  # a gap has four bits: a zero is stored on the way
                gaps.append(15)
                kept.append(0)
                last += 16
            gaps.append(place - last - 1)
            kept.append(codes[place])
            last = place
        counts.append(len(kept))
        halves = np.array([*gaps, 0][: len(gaps) + len(gaps) % 2], np.uint8)
        packed = halves[::2] | halves[1::2] << 4
        bias = biases[name].astype("<f4")
        parts += [values.tobytes(), bias.tobytes(), bytes(kept), packed.tobytes()]
    return np.array(counts, "<u4").tobytes() + b"".join(parts)


@pytest.fixture
def layers():
    rng = np.random.default_rng(0)
    shapes = {"a": (2, 3), "b": (40, 2, 1, 1)}
    weights = {name: rng.integers(-2, 3, shape) / 4 for name, shape in shapes.items()}
    weights["b"][3:35] = 0.0
    biases = {name: rng.standard_normal(shape[0]) for name, shape in shapes.items()}
    return shapes, weights, biases


def test_decodes_what_was_written(layers):
    shapes, weights, biases = layers
    found = decode_layers(compressed(weights, biases), shapes, "file")
    for name in shapes:
        assert np.array_equal(found[name][0], weights[name].astype(np.float32))
        assert np.array_equal(found[name][1], biases[name].astype(np.float32))


def test_a_file_of_another_network(layers):
    shapes, weights, biases = layers
    content = compressed(weights, biases)
    with pytest.raises(DataError, match="ends after"):
        decode_layers(content[:-1], shapes, "file")
    with pytest.raises(DataError, match="1 bytes stand behind"):
        decode_layers(content + b"x", shapes, "file")
    with pytest.raises(DataError, match="a weight of b has the place"):
        decode_layers(content, {**shapes, "b": (40, 1, 1, 1)}, "file")


@pytest.fixture(scope="module")
def squeezenet():
    if not find_file(pretrained.SQUEEZENET.name, search_folders("weights")):
        pytest.skip("the compressed weights of SqueezeNet are not there")
    return pretrained.squeezenet()


def windows(values, side, stride, padding):
    """[frames, places, inputs * side * side] and the number of rows of the output."""
    padded = np.pad(values, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    view = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(2, 3))
    view = view[:, :, ::stride, ::stride]
    rows = view.shape[2]
    return view.transpose(0, 2, 3, 1, 4, 5).reshape(len(values), rows * rows, -1), rows


def convolution(values, weight, bias, stride=1, padding=0):
    seen, rows = windows(values, weight.shape[2], stride, padding)
    found = seen @ weight.reshape(len(weight), -1).T + bias
    return np.maximum(found.transpose(0, 2, 1).reshape(len(values), -1, rows, rows), 0)


def pooled(values):
    """3 x 3, stride 2, the last window may be cut off."""
    missing = (values.shape[2] - 3) % 2
    ends = [(0, 0), (0, 0), (0, missing), (0, missing)]
    padded = np.pad(values, ends, constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return view[:, :, ::2, ::2].max(axis=(4, 5))


def test_squeezenet_is_its_definition(squeezenet):
    """In numpy and float64, from the same values in the other file."""
    path = find_file("squeezenet_v1.0_codes.npz", search_folders("weights"))
    if path is None:
        pytest.skip("the second file of the weights is not there")
    with np.load(path) as archive:
        held = {name: archive[name] for name in archive.files}

    def layer(values, name, **options):
        weight = held[f"{name}.codebook"].astype(float)[held[f"{name}.code"]]
        return convolution(values, weight, held[f"{name}.bias"].astype(float), **options)

    frame = pretrained.ramp(227)
    means = np.array([104.0, 117.0, 123.0])
    values = (frame[..., ::-1].astype(float) - means).transpose(0, 3, 1, 2)
    values = pooled(layer(values, "conv1", stride=2))
    for number in range(2, 10):
        squeezed = layer(values, f"fire{number}.conv1x1_1")
        one = layer(squeezed, f"fire{number}.conv1x1_2")
        three = layer(squeezed, f"fire{number}.conv3x3_2", padding=1)
        values = np.concatenate([one, three], axis=1)
        values = pooled(values) if number in (4, 8) else values
    expected = layer(values, "conv_final", padding=1).mean(axis=(2, 3))
    with torch.no_grad():
        found = squeezenet.module.double()(squeezenet.prepare(frame).double()).numpy()
    squeezenet.module.float()
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()
    assert expected.mean() == pytest.approx(pretrained.SQUEEZENET_ACTIVATION, rel=1e-6)


def test_weights_in_wrong_places_are_noticed(squeezenet):
    layer = squeezenet.module.trunk.fire5.conv3x3_2
    right = layer.weight.data.clone()
    layer.weight.data = right.transpose(2, 3).contiguous()
    with pytest.raises(DataError, match="not in the places"):
        pretrained.check_activation(squeezenet, pretrained.SQUEEZENET_ACTIVATION)
    layer.weight.data = right


def test_vgg19_has_the_shapes_of_the_usual_file():
    """Without filling 0.57 GB: on the meta device."""
    with torch.device("meta"):
        state = pretrained.vgg19_module().state_dict()
    assert list(state)[:4] == ["features.0.weight", "features.0.bias", "features.2.weight"] + [
        "features.2.bias"
    ]
    assert tuple(state["features.34.weight"].shape) == (512, 512, 3, 3)
    assert tuple(state["classifier.0.weight"].shape) == (4096, 25088)
    assert tuple(state["classifier.6.bias"].shape) == (1000,)
    assert sum(values.numel() for values in state.values()) == 143_667_240


def test_vgg19_is_filled_from_a_file(tmp_path, monkeypatch):
    def narrow():
        return narrowed(width=2, hidden=6, classes=5)

    narrowed = pretrained.vgg19_module
    module = narrow()
    monkeypatch.setattr(pretrained, "vgg19_module", narrow)
    path = tmp_path / "vgg19.pth"
    torch.save(module.state_dict(), path)
    begins = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    found = pretrained.vgg19(path, begins)
    frames = pretrained.ramp(found.side)
    with torch.no_grad():
        assert torch.equal(
            found.module(found.prepare(frames)), module.eval()(found.prepare(frames))
        )
    with pytest.raises(DataError, match="begins with"):
        pretrained.vgg19(path)
    with pytest.raises(DataError, match="are missing"):
        pretrained.vgg19(tmp_path / "absent.pth")
    monkeypatch.setattr(pretrained, "vgg19_module", lambda: narrowed(width=4, hidden=6, classes=5))
    with pytest.raises(DataError, match="does not hold the parameters"):
        pretrained.vgg19(path, begins)


def test_inputs_have_the_channels_of_their_networks():
    frame = np.zeros((1, 2, 2, 3), np.uint8)
    frame[..., 0] = 255  # red
    caffe, usual = pretrained._caffe_input(frame), pretrained._torchvision_input(frame)
    assert caffe[0, :, 0, 0].tolist() == [-104.0, -117.0, 255.0 - 123.0]
    assert usual[0, :, 0, 0].numpy() == pytest.approx(
        [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rel=1e-6
    )
