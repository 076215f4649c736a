"""O'Connor 2020, section 5.4.1 and C.6: proportional-derivative networks learn MNIST."""
