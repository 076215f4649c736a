"""O'Connor 2020, chapter 4: principles of sigma-delta networks."""
