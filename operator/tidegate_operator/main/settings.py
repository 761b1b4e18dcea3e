"""Settings: all that an installation can say to the operator, read once from the environment and its files."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from tidegate_operator.api.placement import ANYWHERE, Placement
from tidegate_operator.main.policy_file import read_release_policies
from tidegate_operator.plan.release_policy import NO_POLICIES, ReleasePolicies
from tidegate_operator.routing.policies import Peer

YES_NO = ("true", "false")
# What the charts of Prometheus and its operator call its pods.
PROMETHEUS: Peer = {
    "namespaceSelector": {},
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
}


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
    router_placement: Placement = ANYWHERE
    """On which nodes routers may run. Predictors are placed by their ModelDeployment."""
    pull_secrets: tuple[str, ...] = ()
    """Secrets that the images of predictors, gates and routers are pulled with, by their names in each namespace."""
    check_router_addresses: bool = True
    """Whether routes are told only to routers of their namespace. Not in a mesh, which changes addresses."""
    network_policies: bool = True
    """Whether each namespace gets NetworkPolicies for its router and predictors."""
    metrics_from: tuple[Peer, ...] = (PROMETHEUS,)
    """Who may read /metrics, as `from` of a NetworkPolicy: by default every pod that calls itself Prometheus."""
    release_policies: ReleasePolicies = NO_POLICIES
    """Whose signature a ModelVersion needs in which namespace. Read once: the chart restarts the operator when they
    change.
    """
    identity: str = field(default_factory=socket.gethostname)
    """Who holds the Lease: the pod's name. A container that restarts in its pod is the holder still."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment and the file that it names; raises SettingsError, which names what is missing or wrong."""
    host, port = _parse_address("TIDEGATE_XDS_ADDRESS", _require(environment, "TIDEGATE_XDS_ADDRESS"))
    return Settings(
        predictor_image=_require(environment, "TIDEGATE_PREDICTOR_IMAGE"),
        router_image=_require(environment, "TIDEGATE_ROUTER_IMAGE"),
        xds_host=host,
        xds_port=port,
        namespace=environment.get("TIDEGATE_NAMESPACE") or "tidegate-system",
        watch_namespaces=_parse_names(environment, "TIDEGATE_WATCH_NAMESPACES"),
        log_format=_parse_choice(environment, "TIDEGATE_LOG_FORMAT", ("json", "text")),
        health_port=_parse_number(environment, "TIDEGATE_HEALTH_PORT", 8082),
        router_replicas=_parse_number(environment, "TIDEGATE_ROUTER_REPLICAS", 1),
        router_placement=_parse_placement(environment, "TIDEGATE_ROUTER_PLACEMENT"),
        pull_secrets=_parse_names(environment, "TIDEGATE_IMAGE_PULL_SECRETS"),
        check_router_addresses=_parse_choice(environment, "TIDEGATE_CHECK_ROUTER_ADDRESSES", YES_NO)
        == "true",
        network_policies=_parse_choice(environment, "TIDEGATE_NETWORK_POLICIES", YES_NO) == "true",
        metrics_from=_parse_peers(environment, "TIDEGATE_METRICS_FROM"),
        release_policies=_read_policies(environment, "TIDEGATE_RELEASE_POLICIES"),
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


def _parse_names(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word for part in environment.get(name, "").split(",") if (word := part.strip()))


def _parse_placement(environment: Mapping[str, str], name: str) -> Placement:
    text = environment.get(name)
    try:
        return Placement.model_validate_json(text) if text else ANYWHERE
    except ValidationError as error:
        raise SettingsError(
            f"{name} is {text!r}; write a JSON object with nodeSelector and tolerations ({error.errors()[0]['msg']})"
        ) from error


def _parse_choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; write one of {', '.join(choices)}")
    return value


def _parse_peers(environment: Mapping[str, str], name: str) -> tuple[Peer, ...]:
    text = environment.get(name)
    if not text:
        return (PROMETHEUS,)
    try:
        return tuple(msgspec.json.decode(text, type=list[dict[str, Any]]))
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{name} is {text!r}; write a JSON list of NetworkPolicy peers ({error})"
        ) from error


def _read_policies(environment: Mapping[str, str], name: str) -> ReleasePolicies:
    path = environment.get(name)
    if not path:
        return NO_POLICIES
    try:
        return read_release_policies(Path(path))
    except ValueError as error:
        raise SettingsError(f"{name} is {path}, which can't be used: {error}") from error


def _parse_number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not value.isdecimal():
        raise SettingsError(f"{name} is {value!r}; write a whole number, such as {default}")
    return int(value)
