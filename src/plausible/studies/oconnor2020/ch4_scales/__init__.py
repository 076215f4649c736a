"""O'Connor 2020, chapter 4: optimised scales (table B.1)."""
