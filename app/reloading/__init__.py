"""SIGHUP: read the settings again, and apply what can change without a restart."""
