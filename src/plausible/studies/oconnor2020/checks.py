"""Values that the settings of this study's sweeps may have, refused before any job starts.

Snakemake reads this module whenever it starts, so it imports neither torch nor numba. A setting
means the same in every sweep, so the rules go by its name (`plausible.studies.setting_rules`);
each part of the study states its own in a module checks_<part>.
"""

from plausible.studies.declaration import Study
from plausible.studies.setting_rules import Rule, check_settings

RULES: dict[str, Rule] = {}


def check_sweeps(study: Study) -> None:
    """Check the settings of every sweep, as they are after the user's overrides.

    Raises
    ------
    StudyError
        If a setting has a value that its meaning does not allow.
    """
    for sweep in study.declaration["sweep"]:
        check_settings(f"sweep.{sweep}", study.sweep_settings(sweep), RULES)
