"""What `make bench` can measure, one module each: `measure(stage, progress) -> list of series`."""
