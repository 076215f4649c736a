"""O'Connor 2020, chapter 5 and appendix C: proportional-derivative coding."""
