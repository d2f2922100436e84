"""Checks of what is outside the process: topics, brokers, files, the callback URL. For `check` and at startup."""
