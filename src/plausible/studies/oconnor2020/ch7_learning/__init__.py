"""O'Connor 2020, section 7.4 and D.4: initialised equilibrium propagation learns MNIST."""
