"""Networks as NamedTuples of tensors: initialisers, activations, forward passes, storage."""
