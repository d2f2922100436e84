"""The admin listener: health and metrics for everybody; watches, callbacks and journals for who has the token."""
