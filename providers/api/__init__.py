"""The control plane's endpoints of providers, their credentials and templates, and of a whole configuration."""
