"""Tables of O'Connor 2020, by the names that the study files use; each part has its own module."""

from plausible.studies.markdown import (
    as_they_are,
    theorems_markdown,
)
from plausible.studies.oconnor2020.tables_chapter1 import gaps_markdown, spiking_panels
from plausible.studies.oconnor2020.tables_newsgroups import table3_1_markdown
from plausible.studies.oconnor2020.tables_quantization import (
    gradient_markdown,
    limit_markdown,
    selected_rows,
    slopes_markdown,
    table_a2_markdown,
)
from plausible.studies.oconnor2020.tables_scales import (
    official_split_markdown,
    quantisation_frontier_markdown,
    table_b1_markdown,
)
from plausible.studies.oconnor2020.tables_spiking_training import (
    early_guesses_markdown,
    fsgd_gain_markdown,
    initial_weights_markdown,
    rows_of_record,
    sparsity_markdown,
    table3_2_markdown,
    table_a1_markdown,
)
from plausible.studies.oconnor2020.tables_temporal import (
    change_rate_table,
    noise_training_table,
    temporal_mnist_markdown,
)
from plausible.studies.oconnor2020.tables_zero_reset import zero_reset_markdown

__all__ = [
    "as_they_are",
    "change_rate_table",
    "early_guesses_markdown",
    "fsgd_gain_markdown",
    "gaps_markdown",
    "gradient_markdown",
    "initial_weights_markdown",
    "limit_markdown",
    "noise_training_table",
    "official_split_markdown",
    "quantisation_frontier_markdown",
    "rows_of_record",
    "selected_rows",
    "slopes_markdown",
    "sparsity_markdown",
    "spiking_panels",
    "table3_1_markdown",
    "table3_2_markdown",
    "table_a1_markdown",
    "table_a2_markdown",
    "table_b1_markdown",
    "temporal_mnist_markdown",
    "theorems_markdown",
    "zero_reset_markdown",
]
