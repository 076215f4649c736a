"""O'Connor 2020, section 5.3.6, 5.3.7 and C.4: four rules for the weights between coded signals."""
