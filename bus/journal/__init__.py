"""The journal: messages on disk while Kafka cannot take them. The only package that uses SQLite."""
