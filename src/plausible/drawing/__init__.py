"""Pictures: a tidy table in, a matplotlib figure out. Never imports torch."""
