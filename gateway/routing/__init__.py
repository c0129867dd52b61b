"""From the targets of a route to an order in which they are tried, each with its reason. Pure."""
