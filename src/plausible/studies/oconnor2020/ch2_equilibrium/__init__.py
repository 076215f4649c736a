"""O'Connor 2020, section 2.7: equilibrium propagation, its update and its weights."""
