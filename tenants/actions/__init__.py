"""Every change to who is who: one keyword-only function each, the same for API, console, admin and commands.

They run in the scope that the caller has open, or in a platform scope of their own.
"""
