"""What must be right outside of the process: topics, brokers, files, the callback URL. For `check` and for a start."""
