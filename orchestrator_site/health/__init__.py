"""How the process is: /live, /ready, /health and /info, answered without Django and in bounded time."""
