"""O'Connor 2020, chapter 7 and appendix D: what needs no images."""
