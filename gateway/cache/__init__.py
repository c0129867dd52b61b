"""Answers that are kept and given again to the very same request, where a route asks for it.

key.py      a request as 32 bytes: what must be equal for two requests to have one answer
question.py a request whose answer may be kept
taps.py     the provider's bytes of an answer that may be kept, as they come in
heard.py    those bytes read, when the answer has ended
stored.py   what is kept, and how it is said again in the caller's dialect, whole or as a stream
shelf.py    the place in Redis, bounded for each tenant
room.py     whether Redis has any left
local.py    the place in this process where Redis takes nothing
exact.py    both places behind `AnswerCache`, where a cache that finds similar requests can stand too
keeping.py  keeping an answer, once its caller has it
"""
