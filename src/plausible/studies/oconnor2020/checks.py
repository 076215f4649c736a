"""Values that the settings of this study's sweeps may have, refused before any job starts.

Snakemake reads this module whenever it starts, so it imports neither torch nor numba. A setting
means the same in every sweep, so the rules go by its name (`plausible.studies.setting_rules`);
each part of the study states its own in a module checks_<part>.
"""

from plausible.studies.declaration import Study
from plausible.studies.oconnor2020 import (
    checks_chapter1,
    checks_newsgroups,
    checks_principles,
    checks_quantization,
    checks_scales,
    checks_spiking_training,
)
from plausible.studies.setting_rules import Rule, check_settings

RULES: dict[str, Rule] = {
    **checks_chapter1.RULES,
    **checks_newsgroups.RULES,
    **checks_principles.RULES,
    **checks_quantization.RULES,
    **checks_scales.RULES,
    **checks_spiking_training.RULES,
}


def check_sweeps(study: Study) -> None:
    """Check the settings of every sweep, as they are after the user's overrides.

    Raises
    ------
    StudyError
        If a setting has a value that its meaning does not allow.
    """
    for sweep in study.declaration["sweep"]:
        settings = study.sweep_settings(sweep)
        check_settings(f"sweep.{sweep}", settings, RULES)
        checks_newsgroups.check_divisions(f"sweep.{sweep}", settings)
        checks_scales.check_optimisations(f"sweep.{sweep}", settings)
        checks_spiking_training.check_variants(f"sweep.{sweep}", settings, study.sweep_seeds(sweep))
