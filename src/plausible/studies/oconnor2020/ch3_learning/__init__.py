"""O'Connor 2020, chapter 3: deep spiking networks learn MNIST."""
