"""The inbox: what was published lately, kept in memory, to be listed, streamed and waited for.

It reads Kafka and nothing else: not the journal, no provider. Lost memory is read again.
"""
