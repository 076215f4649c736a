"""O'Connor 2020, chapter 3: newsgroups (table 3.1)."""
