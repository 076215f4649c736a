"""tmp"""

EMBEDDED_DATA_SETS = ("digits", "mnist")
