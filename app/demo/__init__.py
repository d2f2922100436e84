"""`smsbus demo`: the whole way on a local Kafka with simulated providers, and a reconciliation at the end."""
