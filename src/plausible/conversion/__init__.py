"""From a trained network to a spiking network. Numpy only."""
