"""The rows of journals for people, whether a running process holds the journal or not."""
