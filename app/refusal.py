"""Why the service does not start."""


class StartRefused(Exception):
    """It must not start as things are: exit code 2. `lines` say what to change."""

    safe_to_log = True

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
