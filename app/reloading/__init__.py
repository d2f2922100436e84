"""SIGHUP: read the settings again, and hand over what can change without a restart."""
