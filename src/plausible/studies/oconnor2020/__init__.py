"""O'Connor 2020: biologically plausible deep learning."""
