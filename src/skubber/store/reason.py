"""Saying in a log or to a person why something failed."""


def reason(error: Exception) -> str:
    """The first line of an error's message: SQLAlchemy puts statements and what they write into the others."""
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
