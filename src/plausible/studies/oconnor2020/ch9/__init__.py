"""Chapter 9 of O'Connor 2020: the last neuron, the table of algorithms, what stays open."""
