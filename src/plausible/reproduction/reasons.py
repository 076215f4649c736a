"""Why something differs or holds: a part's ``reasons.yaml``.

Reasons are data beside the code of a part. ``differences`` give the cause of a verdict `differs`;
``causes`` are the document's own explanations with the verdicts by which each stands or falls.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from plausible.errors import StudyError
from plausible.reproduction.parts import file_of
from plausible.settings import Settings, read_settings
from plausible.yaml_files import read_yaml

FILE = "reasons.yaml"


class Row(Settings):
    """Rows of the verdicts; what is left out may be anything."""

    result: str
    """Name of the published result, its id without the document."""
    check: str | None = None
    """Id of a statement, or ``value:<name>`` of a number."""
    variant: str | None = None
    protocol: str | None = None


class Difference(Settings):
    """Cause of the differences in some rows."""

    rows: tuple[Row, ...] = Field(min_length=1)
    because: str | tuple[str, ...]
    """The cause, or several that add up; what several rows share is a YAML anchor. Numbers in it
    are computed, in ``{{ }}`` (see `explanations`)."""
    when: str = "true"
    """Condition under which it is the cause, for instance ``reproduced > published``."""
    evidence: tuple[str, ...] = ()
    """Results, or rows of the verdicts as ``<result>: <check>``, that isolate the cause; without
    any the report calls it a candidate."""

    @property
    def text(self) -> str:
        """The whole cause."""
        return self.because if isinstance(self.because, str) else " ".join(self.because)


class Needed(Row):
    """A verdict on which an explanation rests."""

    protocol: str
    verdict: Literal["reproduced", "differs"] = "reproduced"


class Cause(Settings):
    """An explanation that a document gives, and the verdicts by which it stands or falls.

    It survives if all of ``needs`` are as listed (with ``one_is_enough``, if any is), falls if they
    are the opposite, and is open if verdicts that are not comparable could still tip it.
    ``otherwise`` says what is the cause instead, or what the verdicts add.
    """

    section: str
    text: str
    needs: tuple[Needed, ...] = Field(min_length=1)
    otherwise: str = ""
    one_is_enough: bool = False


class Reasons(Settings):
    """Content of a part's ``reasons.yaml``."""

    differences: tuple[Difference, ...] = ()
    causes: tuple[Cause, ...] = ()

    def of(self, result: str, check: str, variant: str, protocol: str) -> list[Difference]:
        """Possible causes of a difference, the most specific first.

        A row that names the check and its variant beats one that names the check, which beats one
        of the whole result; between equals a named protocol beats any.
        """
        wanted = {"check": check, "variant": variant, "protocol": protocol}
        found = []
        for position, difference in enumerate(self.differences):
            for row in difference.rows:
                named = {key: getattr(row, key) for key in wanted if getattr(row, key) is not None}
                if row.result == result and all(wanted[key] == named[key] for key in named):
                    rank = ("variant" not in named, "check" not in named, "protocol" not in named)
                    found.append((rank, position))
        order = dict.fromkeys(position for _, position in sorted(found))
        return [self.differences[position] for position in order]


def load_reasons(document: str, parts: Iterable[str]) -> Reasons:
    """Reasons of some parts of a document, in their order; a part may have none.

    Raises
    ------
    StudyError
        If a file is no YAML or has another form.
    """
    found = []
    for part in parts:
        path = file_of(document, part, FILE)
        if path.is_file():
            content = read_yaml(path)
            if not isinstance(content, dict):
                raise StudyError(f"{path}: a mapping is expected, with the kinds of reasons.")
            shown = f"{document}/{part}/{FILE}:"
            found.append(read_settings(Reasons, content, shown))
    return Reasons(
        **{
            key: tuple(one for reasons in found for one in getattr(reasons, key))
            for key in Reasons.model_fields
        }
    )
