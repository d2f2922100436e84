"""What became of one SMS, or of those of a number: found in the topics and the journals, which are all there is."""
