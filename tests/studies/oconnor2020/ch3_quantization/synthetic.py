"""Made-up tidy tables on quantizers and limits in which every published statement holds."""

import numpy as np
import pandas as pd

SEEDS = (0, 1, 2)
STEPS = np.array([1, 3, 10, 30, 100, 300, 1000])
ORDERS = {
    "breadth_first": "B(a1) B(a2) C(a1) C(a2) D(b1) D(b2) D(b3)".split(),
    "depth_first": "B(a1) D(b1) D(b2) C(a1) B(a2) D(b3) C(a2)".split(),
}


def fig3_1(names=("vector", "sampling")):
    """Errors with the published exponents, scattered over seeds; the closed forms."""
    rows = []
    for name in names:
        means = (-0.5, 0.0, 0.5) if name == "rectified" else (0.0,)
        for mean in means:
            slope = -0.5 if name == "sampling" or (name == "rectified" and mean == 0) else -1.0
            for seed in SEEDS:
                error = 0.3 * STEPS ** (slope + 0.01 * (seed - 1))
                known = mean == 0
                expected = 0.3 * STEPS**slope if known else np.full(len(STEPS), np.nan)
                rows += [
                    (name, mean, seed, t, e, x)
                    for t, e, x in zip(STEPS, error, expected, strict=True)
                ]
    columns = ["quantizer", "input_mean", "seed", "steps", "error_rms", "expected_rms"]
    return pd.DataFrame(rows, columns=columns)


def fig_a1(protocols=("as_published", "as_coded"), steps=STEPS):
    """Errors of three layers that fall as 1/T."""
    rows = [
        (protocol, seed, layer, t, layer * t ** (-1 + 0.01 * seed), float(layer), 1.0)
        for protocol in protocols
        for seed in SEEDS
        for layer in (1, 2, 3)
        for t in steps
    ]
    columns = ["protocol", "seed", "layer", "steps", "error", "activation", "gate_agreement"]
    return pd.DataFrame(rows, columns=columns)


def fig_a2():
    """The graph of a spiking network with one hidden layer, and that of the ReLU network."""
    forward = ["input", "weights 0", "herder 1", "weights 1", "herder 2", "error counter"]
    back = ["error counter", "gate 2", "back weights 1", "back herder 1", "gate 1", "update 0"]
    edges = [*zip(forward, forward[1:], strict=False), *zip(back, back[1:], strict=False)]
    edges += [("target", "error counter"), ("gate 2", "update 1")]
    reads = [
        ("input", "update 0", "spike count"),
        ("herder 1", "update 1", "spike count"),
        ("herder 1", "gate 1", "summed input"),
        ("herder 2", "gate 2", "summed input"),
    ]
    names = list(dict.fromkeys([*forward, "target", *back, "update 1"]))
    rows = [("spiking", "module", name, None, None, 5) for name in names]
    rows += [("spiking", "edge", *edge, None, 0) for edge in edges]
    rows += [("spiking", "read", *read, 0) for read in reads]
    rows += [("spiking", "write", f"update {n}", f"weights {n}", "weights", 0) for n in range(2)]
    frame = pd.DataFrame(rows, columns=["network", "element", "name", "target", "what", "events"])
    plain = frame[(frame["name"] != "back herder 1") & (frame["target"] != "back herder 1")]
    plain = plain.replace("herder", "relu", regex=True).replace("error counter", "difference")
    frame = pd.concat([plain.assign(network="relu"), frame], ignore_index=True)
    split = frame["name"].str.extract(r"^(.*?)(?: (\d))?$")
    return frame.assign(kind=split[0], layer=split[1].fillna("-1").astype(int))


def table_a2():
    """Modules, bindings and the published orders."""
    rows = [("module", name, None, None, 0, None) for name in "ABCD"]
    rows += [("edge", *pair, None, 0, None) for pair in ("AB", "AC", "BD")]
    for routing, order in ORDERS.items():
        rows += [
            ("event", text[0], None, routing, n, text[2:-1]) for n, text in enumerate(order, 1)
        ]
    columns = ["element", "name", "target", "routing", "position", "event"]
    return pd.DataFrame(rows, columns=columns)


def spiking_gradient(seeds=SEEDS):
    """Cosines that grow with T and differ by seed, steps of 1 and 1/2."""
    rows = [
        (weights, update, seed, layer, t, 1 - 0.5 / t**0.5, 1 - 0.05 * seed / t**0.5, size, 20)
        for weights in ("drawn", "trained")
        for update, size in (("sgd", 1.0), ("fsgd", 0.5))
        for seed in seeds
        for layer in (0, 1)
        for t in (5, 10, 100)
    ]
    columns = ["weights", "update", "seed", "layer", "steps", "cosine", "cosine_of_sum"]
    return pd.DataFrame(rows, columns=[*columns, "relative_step", "images"])


def good_tables():
    """Every table that a claim looks at."""
    return {
        "ch3.fig3.1": fig3_1(),
        "fig_a1": fig_a1(steps=[100, 300, 1000, 3000, 10_000]),
        "table_a2": table_a2(),
    }
