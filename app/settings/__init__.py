"""Settings from environment, files and `smsbus.toml`: read, named, and rotated. `load.Settings` has all of them."""
