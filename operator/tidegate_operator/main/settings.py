"""Settings: all that an installation can say to the operator, read once from the environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field


class SettingsError(Exception):
    """An environment variable is missing or wrong; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the chart sets. Everything has a name in `charts/tidegate`."""

    predictor_image: str
    """Image of predictor pods. Without a default: an operator must not guess what serves."""
    router_image: str
    """Image of routers."""
    xds_host: str
    """Where routers find the leader: a Service that only the leader is ready in."""
    namespace: str = "tidegate-system"
    """Where the operator runs and its Lease lies."""
    watch_namespaces: tuple[str, ...] = ()
    """Namespaces that are served; none means all, which needs a ClusterRole."""
    log_format: str = "json"
    """`json` for collectors, `text` for eyes; predictors get the same."""
    health_port: int = 8082
    """/healthz, /readyz and /metrics. Not 8080, which users' port-forwards like to take."""
    xds_port: int = 18000
    """Where routers ask for routes; what go-control-plane's examples use."""
    router_replicas: int = 1
    """Routers a namespace; production wants two or more, so that a lost node costs nothing."""
    identity: str = field(default_factory=socket.gethostname)
    """Who holds the Lease: the pod's name. A container that restarts in its pod is the holder still."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment; raises SettingsError with the name of what is missing or wrong."""
    host, port = _parse_address("TIDEGATE_XDS_ADDRESS", _require(environment, "TIDEGATE_XDS_ADDRESS"))
    watched = environment.get("TIDEGATE_WATCH_NAMESPACES", "")
    return Settings(
        predictor_image=_require(environment, "TIDEGATE_PREDICTOR_IMAGE"),
        router_image=_require(environment, "TIDEGATE_ROUTER_IMAGE"),
        xds_host=host,
        xds_port=port,
        namespace=environment.get("TIDEGATE_NAMESPACE") or "tidegate-system",
        watch_namespaces=tuple(name.strip() for name in watched.split(",") if name.strip()),
        log_format=_parse_choice(environment, "TIDEGATE_LOG_FORMAT", ("json", "text")),
        health_port=_parse_number(environment, "TIDEGATE_HEALTH_PORT", 8082),
        router_replicas=_parse_number(environment, "TIDEGATE_ROUTER_REPLICAS", 1),
        identity=environment.get("TIDEGATE_IDENTITY") or socket.gethostname(),
    )


def _require(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set; the chart sets it")
    return value


def _parse_address(name: str, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(
            f"{name} is {value!r}; write host:port, such as tidegate-xds.tidegate-system.svc:18000"
        )
    return host, int(port)


def _parse_choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; write one of {', '.join(choices)}")
    return value


def _parse_number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isdecimal():
        raise SettingsError(f"{name} is {value!r}; write a whole number, such as {default}")
    return int(value)
