"""The one error of this package."""


class LocalKafkaError(Exception):
    """The local Kafka cannot be started; the text is one line that says why and what to do."""
