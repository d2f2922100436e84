"""The admin listener: health and metrics without credentials; watches, callbacks and journals with the token."""
