"""Learning rules, optimisers and the training loop."""
