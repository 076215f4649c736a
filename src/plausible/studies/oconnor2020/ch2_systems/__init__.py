"""O'Connor 2020, sections 2.1 to 2.6: systems of others that learn, as small exact models."""
