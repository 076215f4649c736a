"""Song et al. 2020, models, notation, properties and detection (figures 1 and 2, tables 1 to 3)."""
