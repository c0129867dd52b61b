"""Load on an endpoint: wrk for throughput, one blocking socket for latency, asyncio for streams."""
