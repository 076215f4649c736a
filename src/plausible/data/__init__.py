"""Data sets as arrays of grey levels or of binary features.

Embedded digits, MNIST, any four IDX files; newsgroups and a table that stands in for them.
"""
