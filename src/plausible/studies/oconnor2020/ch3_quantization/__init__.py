"""O'Connor 2020, chapter 3 and appendix A: quantization, spiking forward pass and gradient."""
