"""What a response means for a watch: pure state machines that turn observations into messages and actions."""
