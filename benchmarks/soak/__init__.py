"""Long proofs with injected faults: `python -m benchmarks.soak NAME`. Seeds are fixed, results are written down."""
