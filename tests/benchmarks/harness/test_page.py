import pytest
from benchmarks.harness.page import PAGE, with_figures


def test_new_figures_replace_the_old_ones_and_nothing_else() -> None:
    first = with_figures("before\n<!-- made by `make bench` -->\n<!-- end -->\nafter\n", "| 1 |\n")
    second = with_figures(first, "| 2 |\n")
    assert second == "before\n<!-- made by `make bench` -->\n| 2 |\n\n<!-- end -->\nafter\n"


def test_the_documentation_has_a_place_for_the_figures() -> None:
    assert "| 1 |" in with_figures(PAGE.read_text(), "| 1 |")


def test_a_page_without_a_place_for_them_is_an_error() -> None:
    with pytest.raises(ValueError, match="must hold"):
        with_figures("nothing here", "| 1 |")
