"""Made-up tidy tables of chapter 7 without images."""

import numpy as np
import pandas as pd


def panes_table(seeds: int = 3) -> pd.DataFrame:
    """Three panes of a network of 3, 2 and 2 units."""
    rows = []
    for seed in range(seeds):
        for pane, steps in (("forward", 1), ("negative", 4), ("positive", 3)):
            for unit in range(3):
                rows.append((seed, pane, 0, 0, unit, 0.3 * unit, None, None, None))
            for layer in (1, 2):
                for step in range(steps):
                    for unit in range(2):
                        state = 0.1 * step + 0.2 * unit + 0.01 * seed
                        last = step == steps - 1
                        rows.append(
                            (
                                *(seed, pane, step, layer, unit, state),
                                0.0 if last else None,
                                0.3 if last else None,
                                float(unit) if layer == 2 else None,
                            )
                        )
    columns = ["seed", "pane", "step", "layer", "unit", "state"]
    return pd.DataFrame(rows, columns=[*columns, "deviation", "zero_start_deviation", "target"])


def toy_table(seeds: int = 3) -> pd.DataFrame:
    """Local training is faster, and gradients align."""
    rows = []
    for seed in range(seeds):
        for training, speed in (("local", 0.02), ("global", 0.008)):
            for iteration in range(0, 401, 50):
                loss = 400.0 * np.exp(-speed * iteration) + seed
                for layer in range(1, 5):
                    cosine = 0.001 * iteration + 0.05 * layer + 0.01 * seed
                    rows.append(
                        (
                            *(seed, training, iteration, layer, loss / 4, loss),
                            cosine if layer < 4 else None,
                        )
                    )
    columns = ["seed", "training", "iteration", "layer", "layer_loss", "loss", "alignment"]
    return pd.DataFrame(rows, columns=columns)


def rates_table(seeds: int = 3) -> pd.DataFrame:
    """Upper layers at the target help, and local losses are faster at their best rates."""
    rows = []
    for seed in range(seeds):
        for training, size in (("local", 100), ("global", 140)):
            rows.append((seed, "lower_layers", training, 0.01, size + seed, True))
            for rate in (0.001, 0.01, 0.1):
                slow = 1000 if rate == 0.1 else int(size * 0.02 / rate) + seed
                rows.append((seed, "all_layers", training, rate, min(slow, 1000), slow < 1000))
    columns = ["seed", "comparison", "training", "learning_rate", "iterations", "reached"]
    return pd.DataFrame(rows, columns=columns)


def early_table(draws: int = 8) -> pd.DataFrame:
    """The next layer's loss falls, and nobody waits."""
    rows = [(k, -0.1 - 0.01 * k, 0.05 + 0.01 * k, 50 + k, 200 + k) for k in range(draws)]
    columns = ["draw", "loss_change", "permuted_change", "together_iterations", "alone_iterations"]
    return pd.DataFrame(rows, columns=columns)


def steps_table(seeds: int = 3) -> pd.DataFrame:
    """Steps grow as the square of the depth."""
    rows = [
        (seed, depth, network, 20.0 * depth**2 * (1 + 0.01 * seed), 0.0)
        for seed in range(seeds)
        for depth in range(1, 7)
        for network in range(2)
    ]
    return pd.DataFrame(
        rows, columns=["seed", "hidden_layers", "network", "steps", "unsettled_share"]
    )


def tied_table(seeds: int = 3) -> pd.DataFrame:
    """A rank correlation by seed."""
    rows = [
        (seed, network, 0.1 * network, 0.2 * network, 0.4 + 0.05 * seed)
        for seed in range(seeds)
        for network in range(5)
    ]
    columns = ["seed", "network", "reconstruction_error", "forward_error", "rank_correlation"]
    return pd.DataFrame(rows, columns=columns)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch7.fig7.1": panes_table(),
        "ch7.fig7.2": toy_table(),
        "ch7.cause_confusing_distant": rates_table(),
        "ch7.early_layers_help": early_table(),
        "ch7.steps_superlinear": steps_table(),
        "ch7.tied_forward_pass": tied_table(),
    }
