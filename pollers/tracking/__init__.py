"""What an answer means for a watch: pure state machines, from an observation to messages and actions."""
