"""The figures in ``docs/performance.md``, put there by a complete run."""

from benchmarks.harness.build import BENCHMARKS

PAGE = BENCHMARKS.parent / "docs" / "performance.md"

_START = "<!-- made by `make bench` -->\n"
_END = "<!-- end -->"


def with_figures(page: str, figures: str) -> str:
    """The page with new figures in place of its old ones.

    Args:
        page: a text with the two comments between which the figures are.
        figures: the figures, as Markdown.

    Raises:
        ValueError: the page lacks one of the comments.
    """
    before, start, rest = page.partition(_START)
    _, end, after = rest.partition(_END)
    if not (start and end):
        raise ValueError(f"The page must hold {_START.strip()} and {_END}.")
    return f"{before}{start}{figures}\n{end}{after}"
