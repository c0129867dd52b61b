"""What is known of every target that requests go to: how busy and how fast it is, and whether it is to be left alone.

A target's key names owner, provider, model and credential (`providers.wire.shapes.Target.key`). One `Board` for each
process; the boards of an installation tell each other through Redis, and each works alone without it.

    board = Board(clock, redis, process="...")    repeat(board.share, 0.5) as a chore; await board.leave() at the end
    board.vitals(key)          Vitals: in_flight, samples, ewma, p95, output_tokens, cached_share, score()
    board.circuit(key)         Circuit: state, cause, failures
    board.admissible(keys)     a Verdict for each: "yes", "probe", "forced", "open", "resting"
    await board.claim_probe(key)      for "probe" alone: whether this request is the one that may try
    flight = board.began(key)         a call leaves; then flight.first_chunk() and one of
    flight.succeeded(output_tokens)   flight.failed(cause, retry_after)   flight.abandoned()
    board.release_probe(key)   a claim that no call followed
    board.snapshot()           every target, for people;  board.troubles() for the gauge
    board.live_processes       how many processes share the work, this one included; at least 1
"""
