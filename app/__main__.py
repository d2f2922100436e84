"""`python -m app` is `smsbus`."""

from app.cli import main

main()
