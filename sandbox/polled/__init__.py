"""The simulated polling providers, one file each."""
