"""O'Connor 2020: the registry of its pictures; each part of the study has its own module.

Every function takes the tidy table of a result, what the thesis published, and the name of the data
set of this scale; it returns a figure and keeps no state.
"""

from collections.abc import Callable

from matplotlib.figure import Figure

from plausible.plots import (
    oconnor2020_chapter1,
    oconnor2020_graphs,
    oconnor2020_newsgroups,
    oconnor2020_principles,
    oconnor2020_quantization,
    oconnor2020_random_scales,
    oconnor2020_scales_beyond,
    oconnor2020_spiking_beyond,
    oconnor2020_spiking_training,
    oconnor2020_zero_reset,
)

FIGURES: dict[str, Callable[..., Figure]] = {
    **oconnor2020_chapter1.FIGURES,
    **oconnor2020_quantization.FIGURES,
    **oconnor2020_graphs.FIGURES,
    **oconnor2020_newsgroups.FIGURES,
    **oconnor2020_principles.FIGURES,
    **oconnor2020_random_scales.FIGURES,
    **oconnor2020_scales_beyond.FIGURES,
    **oconnor2020_spiking_training.FIGURES,
    **oconnor2020_spiking_beyond.FIGURES,
    **oconnor2020_zero_reset.FIGURES,
}
