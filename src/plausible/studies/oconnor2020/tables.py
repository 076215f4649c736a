"""Tables of O'Connor 2020, by the names that the study files use; each part has its own module."""

from plausible.studies.markdown import (
    as_they_are,
    theorems_markdown,
)

__all__ = ["as_they_are", "theorems_markdown"]
