"""Chapter 8 of O'Connor 2020 without training: codes, step sizes, fixed points."""
