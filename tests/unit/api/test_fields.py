"""Durations, percentages and quantities mean what they mean elsewhere in Kubernetes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.quantities import parse_age, parse_quantity, parse_seconds, parse_share


@pytest.mark.parametrize(
    ("written", "seconds"), [("0s", 0), ("500ms", 0.5), ("60s", 60), ("1h30m", 5400), ("1m1s1ms", 61.001)]
)
def test_a_duration_is_the_sum_of_its_parts(written, seconds):
    assert parse_seconds(written) == pytest.approx(seconds)


@given(hours=st.integers(0, 99), minutes=st.integers(0, 999), seconds=st.integers(0, 999))
def test_every_duration_is_read_back(hours, minutes, seconds):
    assert parse_seconds(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@pytest.mark.parametrize("written", ["", "60", "1d", "-1s", "1.5h", "s", "1h 30m"])
def test_what_is_no_duration_is_refused_with_an_example(written):
    with pytest.raises(ValueError, match='write one such as "30s"'):
        parse_seconds(written)


@pytest.mark.parametrize(
    ("written", "age"), [("30d", timedelta(days=30)), ("36h", timedelta(days=1.5)), ("0d", timedelta())]
)
def test_an_age_is_of_days_or_hours(written, age):
    assert parse_age(written) == age


@pytest.mark.parametrize("written", ["", "30", "1d12h", "-1d", "1.5d", "2w"])
def test_what_is_no_age_is_refused_with_an_example(written):
    with pytest.raises(ValueError, match='write one such as "30d"'):
        parse_age(written)


@pytest.mark.parametrize(
    ("written", "share"), [("1%", 0.01), ("0.5%", 0.005), ("99.9999%", 0.999999), ("100%", 1)]
)
def test_a_percentage_is_a_share(written, share):
    assert parse_share(written) == pytest.approx(share)


@pytest.mark.parametrize("written", ["1", "%", "-1%", "1 %", "0.00001%"])
def test_what_is_no_percentage_is_refused_with_an_example(written):
    with pytest.raises(ValueError, match='write one such as "1%"'):
        parse_share(written)


@pytest.mark.parametrize(
    ("written", "amount"),
    [("250m", 0.25), ("1", 1), ("1.5", 1.5), ("512Mi", 2**29), ("1Gi", 2**30), ("500M", 5e8), ("1e3", 1000)],
)
def test_a_quantity_is_cores_or_bytes(written, amount):
    assert parse_quantity(written) == pytest.approx(amount)


@pytest.mark.parametrize("written", ["", "512 MB", "512MB", "Mi", "-1", "1e"])
def test_what_is_no_quantity_is_refused_with_an_example(written):
    with pytest.raises(ValueError, match='write one such as "500m"'):
        parse_quantity(written)
