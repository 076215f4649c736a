"""plausible: the reference reproduction of biologically plausible learning."""

__version__ = "0.1.0"
