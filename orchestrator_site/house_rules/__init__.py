"""The rules of the house that linters do not know, checked by reading: `python -m orchestrator_site.house_rules`.

Each module holds rules of one kind. A rule takes a `Source` and yields `Violation`s; `registry.RULES` lists
them all. Nothing is imported or run of what is checked.
"""
