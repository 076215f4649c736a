"""One package per source document: the protocol of each experiment."""
