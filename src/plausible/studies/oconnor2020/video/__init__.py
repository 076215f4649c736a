"""O'Connor 2020, sections 4.6.3, 5.4.2, B.6, C.7 and C.8: networks on video."""
