"""O'Connor 2020, chapter 6: dynamics-based learning with predictive coding is STDP."""
