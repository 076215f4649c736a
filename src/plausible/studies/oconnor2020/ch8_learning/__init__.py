"""Chapter 8 of O'Connor 2020: networks that send bits learn by equilibrium propagation."""
