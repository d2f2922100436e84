"""Settings from environment, files and `smsbus.toml`: read, named, and rotated. `load.Settings` is all of them."""
