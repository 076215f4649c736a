"""Table 1 of Song et al. 2020: its symbols beside the names that the implementation gives them."""

import inspect
from importlib import import_module

import pandas as pd

from plausible.studies.song2020.properties.settings import Notation

LEVELS = "plausible.studies.song2020.levels"
COMMON = "plausible.studies.song2020.common"
BACKPROP = "plausible.learning.backprop"
CODING = "plausible.learning.predictive_coding"
NETWORK = "plausible.networks.mlp"
# (module, name) of what the ANN and the PCN call a quantity; one name where it is the same thing.
# A name is a function, a class, "Class.field", or "function.variable".
NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "value_node": ((LEVELS, "forward"), (LEVELS, "State.values")),
    "predicted": ((LEVELS, "State.predictions"),),
    "error": ((BACKPROP, "backward.error"), (LEVELS, "State.errors")),
    "weight": ((LEVELS, "thetas"),),
    "objective": ((CODING, "free_energy"),),
    "integration_step": ((LEVELS, "move.gamma"),),
    "activation": ((NETWORK, "Network.activation"),),
    "layer_size": ((COMMON, "draw_network.sizes"),),
    "number_of_layers": ((LEVELS, "depth"),),
    "input_signal": ((LEVELS, "start.inputs"),),
    "supervision": ((LEVELS, "start.targets"),),
    "learning_rate": ((LEVELS, "apply.learning_rate"),),
}


def notation(settings: Notation, seeds, dataset, networks) -> pd.DataFrame:
    """Table 1: every published symbol with its name in the implementation, which is looked up.

    E of the ANN is F_t of the PCN with the same weights at t = 0, where the output errors alone are
    not zero: one function. ``depth`` is l_max, the number of layers less one.

    Columns: row (from 1), quantity, ann_symbol, pcn_symbol, name_in_code (without the package),
    found (whether all these names exist).
    """
    symbols = {row["id"]: row for row in settings.published["rows"]}
    shared = settings.published["shared"]
    quantities = [name for name in symbols["ann"] if name != "id"]
    rows = [(name, symbols["ann"][name], symbols["pcn"][name]) for name in quantities]
    rows += [(name, symbol, symbol) for name, symbol in shared.items()]
    table = pd.DataFrame(rows, columns=["quantity", "ann_symbol", "pcn_symbol"])
    table.insert(0, "row", range(1, len(table) + 1))
    names = [NAMES.get(quantity, ()) for quantity in table["quantity"]]
    return table.assign(
        name_in_code=[
            "; ".join(f"{module.rpartition('.')[2]}.{name}" for module, name in found)
            for found in names
        ],
        found=[bool(found) and all(exists(*name) for name in found) for found in names],
    )


def exists(module: str, name: str) -> bool:
    """Whether ``module`` has ``name``: a function, a class, a field of one or a variable of one."""
    owner, _, part = name.partition(".")
    thing = getattr(import_module(module), owner, None)
    if thing is None or not part:
        return thing is not None
    if inspect.isfunction(thing):
        return part in thing.__code__.co_varnames
    return part in getattr(thing, "_fields", ())
