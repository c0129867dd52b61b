"""`make run`: everything the platform needs, started, watched and stopped by one process."""
