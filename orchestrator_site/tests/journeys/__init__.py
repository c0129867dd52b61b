"""What people do with the running platform: every process started, no code of ours in between."""
