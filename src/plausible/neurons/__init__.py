"""Neuron models, spike encoders, synapse filters."""
