"""A bounded number of apps have numbers of their own."""

from collections.abc import Mapping

from skubber.core.app import App
from skubber.metrics.app_series import OTHER, AppSeries, Totals


def app(app_id: str, published: int = 0, connections: int = 0) -> App:
    """An app that has done something."""
    made = App.with_keys(app_id, ())
    made.meter.published = published
    for _ in range(connections):
        made.meter.connected()
    return made


def published(totals: Mapping[str, Totals]) -> dict[str, int]:
    return {label: each.published for label, each in totals.items()}


def test_the_apps_with_the_most_connections_have_labels_and_the_others_share_one() -> None:
    series = AppSeries(2)
    apps = [app("small", 1, 1), app("large", 2, 3), app("middle", 4, 2), app("idle"), app("least", 8)]
    assert published(series.read(apps)) == {OTHER: 9, "large": 2, "middle": 4}
    assert [series.label(each.id) for each in apps] == [OTHER, "large", "middle", OTHER, OTHER]


def test_an_app_that_has_done_nothing_takes_no_label_from_others() -> None:
    series = AppSeries(1)
    assert published(series.read([app("idle")])) == {OTHER: 0}
    assert published(series.read([app("idle"), app("busy", 1)])) == {OTHER: 0, "busy": 1}


def test_an_app_keeps_its_label_however_large_others_become() -> None:
    series = AppSeries(1)
    first, second = app("first", 1, 1), app("second", 1, 0)
    series.read([first, second])
    for _ in range(9):
        second.meter.connected()
    first.meter.disconnected()
    first.meter.forget_peak()
    second.meter.published += 5
    assert published(series.read([first, second])) == {OTHER: 6, "first": 1}


def test_no_total_shrinks_when_apps_go_and_labels_become_free() -> None:
    series = AppSeries(1)
    first, second, third = app("first", 5, 2), app("second", 7, 1), app("third", 11)
    assert published(series.read([first, second, third])) == {OTHER: 18, "first": 5}
    assert published(series.read([second, third])) == {OTHER: 18, "second": 0}
    second.meter.published += 1
    third.meter.published += 2
    assert published(series.read([second, third])) == {OTHER: 20, "second": 1}
    assert published(series.read([second])) == {OTHER: 20, "second": 1}


def test_an_app_that_was_deleted_and_made_anew_between_two_readings_is_counted_from_nothing() -> None:
    series = AppSeries(1)
    series.read([app("a", 100)])
    assert published(series.read([app("a", 3)])) == {OTHER: 0, "a": 103}


def test_an_app_that_has_the_name_of_the_others_is_one_of_them() -> None:
    series = AppSeries(5)
    assert published(series.read([app(OTHER, 3, 9), app("b", 4)])) == {OTHER: 3, "b": 4}
