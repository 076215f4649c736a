"""What O'Connor says causes his results, and the verdicts by which it stands or falls."""

from plausible.reproduction.summaries import Cause

CAUSES: tuple[Cause, ...] = ()
