"""Settings: what is missing or wrong is said with its name."""

from __future__ import annotations

import pytest

from tidegate_operator.main.settings import SettingsError, read_settings

ENOUGH = {
    "TIDEGATE_PREDICTOR_IMAGE": "predictor",
    "TIDEGATE_ROUTER_IMAGE": "router",
    "TIDEGATE_XDS_ADDRESS": "tidegate-xds.tidegate-system.svc:18000",
}


def test_three_variables_are_enough() -> None:
    settings = read_settings(ENOUGH)
    assert (settings.xds_host, settings.xds_port) == ("tidegate-xds.tidegate-system.svc", 18000)
    assert settings.watch_namespaces == ()


def test_namespaces_are_a_list() -> None:
    settings = read_settings(ENOUGH | {"TIDEGATE_WATCH_NAMESPACES": "shop, bank,"})
    assert settings.watch_namespaces == ("shop", "bank")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEGATE_PREDICTOR_IMAGE", ""),
        ("TIDEGATE_XDS_ADDRESS", "nowhere"),
        ("TIDEGATE_LOG_FORMAT", "xml"),
        ("TIDEGATE_HEALTH_PORT", "eighty"),
        ("TIDEGATE_ROUTER_PLACEMENT", "nodes"),
        ("TIDEGATE_ROUTER_PLACEMENT", '{"nodes": "mine"}'),
    ],
)
def test_a_mistake_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(ENOUGH | {name: value})
