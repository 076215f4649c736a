"""Data sets as arrays of grey levels with a checksum."""
