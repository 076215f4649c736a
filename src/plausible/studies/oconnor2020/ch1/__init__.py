"""O'Connor 2020, chapter 1: neurons and networks the thesis builds on."""
