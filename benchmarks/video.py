"""SqueezeNet on a recording, 227 x 227: what counting, rounding and differences cost beside torch.

Frames a second of one core, windows of 8 frames, without decoding, which has a line of its own. The
recording has 10 frames a second, so 10 is real time. What a product could leave out, if it were not
dense, are places and channels without a message: how many have one is told beside sigma-delta.
"""

import numpy as np
import timing
import torch

from plausible.data.recordings import recording
from plausible.data.video import read_frames
from plausible.networks.conv_graph import geometry, read_graph
from plausible.networks.conv_streams import Costs, run_stream
from plausible.networks.pretrained import squeezenet

FRAMES, SCALE = 8, 0.05


def sending(graph, inputs, scales) -> str:
    """Shares of places and of channels with a message of sigma-delta, mean over senders."""
    shares: list[tuple[float, float]] = []

    def observe(sender, values, messages):
        sent = messages[1:] != 0
        places, channels = sent.any(dim=1), sent.flatten(2).any(dim=2)
        shares.append((float(places.double().mean()), float(channels.double().mean())))

    run_stream(graph, inputs, "sigma_delta", scales, observe=observe)
    places, channels = np.mean(shares, axis=0)
    return f"{100 * places:.0f} % of places send, {100 * channels:.1f} % of channels"


def run(dataset, repetitions: int) -> list[timing.Row]:
    """Measure every network on the same frames."""
    network, path = squeezenet(), recording("people")
    graph = read_graph(network.module)
    sizes = geometry(graph, (3, network.side, network.side))
    frames = np.stack(list(read_frames(path, (network.side, network.side), count=FRAMES)))
    inputs, scales = network.prepare(frames), [SCALE] * len(graph.senders)

    def plain():
        with torch.no_grad():
            return network.module(inputs)

    def counted(kind: str, differences: bool = False):
        costs = Costs(graph, sizes, kind, differences)
        run_stream(graph, inputs, kind, scales, observe=costs)
        return costs.per_frame()

    still = inputs[:1].expand_as(inputs)
    state = run_stream(graph, inputs[:1], "sigma_delta", scales).state

    work = {
        "original, counted": lambda: counted("original"),
        "plain torch": plain,
        "rounding, counted with sigma-delta": lambda: counted("rounding", differences=True),
        "sigma-delta, counted": lambda: counted("sigma_delta"),
        "sigma-delta, still picture": lambda: run_stream(
            graph, still, "sigma_delta", scales, state
        ),
        "PD codes, counted": lambda: counted("pd"),
        "decode and scale": lambda: list(
            read_frames(path, (network.side, network.side), count=FRAMES)
        ),
    }
    for action in work.values():
        action()
    seconds = timing.take_turns(work, repetitions)
    notes = {
        "plain torch": "torch.nn.Module",
        "sigma-delta, counted": sending(graph, inputs, scales),
        "decode and scale": "FFmpeg, 768 x 432",
    }
    return timing.per_second("video: SqueezeNet", seconds, dict.fromkeys(work, FRAMES), notes)
