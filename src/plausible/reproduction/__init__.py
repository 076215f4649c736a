"""Compare what a document published with what was reproduced."""
