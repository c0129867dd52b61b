"""Which model a question needs: a local classifier of prompts (`classifier`), the order of targets that follows
from it (`choice`), and what a tenant's feedback changes (`learning`). Pure, and without any network.

Another router takes its place by `Router` in `classifier`: whatever gives a `Classified` for a request.
"""
