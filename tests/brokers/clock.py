"""A clock whose hands the test moves."""


class Clock:
    """Shows what it is set to, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
