"""The rows of journals for people: of one that nobody holds, and of one that a running process holds."""
