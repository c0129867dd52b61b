"""The way of one completion, from key to settled cost. No ORM, no HttpRequest."""
