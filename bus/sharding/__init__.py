"""Which process polls which watches: commands, the consumer group, and the fenced log of states."""
