"""Where the platform may connect to: every host is resolved once, judged, and connected to by that very address."""
