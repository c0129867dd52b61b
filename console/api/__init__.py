"""The control plane's views that join several packages: models, health, statistics."""
