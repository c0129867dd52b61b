"""Wire formats: pure functions between bytes and values. No I/O, no Django."""
