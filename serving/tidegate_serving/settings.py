"""The settings of one predictor process, from the environment that the operator gives its pod."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tidegate import pod
from tidegate.pod import Variable
from tidegate_serving.memory import read_limit

LogFormat = Literal["json", "text"]

DRAIN_SECONDS: Final = 35.0
"""kubeadm's CoreDNS lets answers be cached for 30 s: so long the router may go on sending to a pod that goes."""


class InvalidSettings(Exception):  # noqa: N818 - as InvalidInput
    """The environment can't be used; the message says which variable, and what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one process serves, from where, and within which bounds."""

    model: str
    revision: str
    source: str
    digest: str
    secret: str = ""
    """Name of the Secret that is mounted as `credentials_folder`; empty: the source needs no keys."""
    named_in: str = "spec.source.secretRef of the ModelVersion"
    """Where a user names that Secret, for sentences."""
    host: str = "0.0.0.0"  # noqa: S104 - a pod is reached at its own address
    port: int = pod.PORT
    threads: int = 1
    drain_seconds: float = DRAIN_SECONDS
    retry_seconds: float = 10.0
    """How long a source that is away is asked again before the process ends, and its reason can be read."""
    log_format: LogFormat = "json"
    bundle_folder: Path = Path(pod.BUNDLE_FOLDER)
    credentials_folder: Path = Path(pod.CREDENTIALS_FOLDER)
    claim_folder: Path = Path(pod.CLAIM_FOLDER)
    termination_log: Path = Path(pod.TERMINATION_LOG)
    max_body_bytes: int = 16 << 20
    """The largest body, where memory allows it; see `admission.fit_bounds`."""
    max_in_flight: int = 256
    """Requests being read or answered; what comes on top gets 429 instead of a place in a growing queue."""
    max_in_flight_bytes: int = 64 << 20
    """Bodies of all requests in flight together. Without it 256 bodies of 16 MiB would be the end of the pod."""

    memory_bytes: int | None = None
    """What the process may use before it is ended; None: without limit. Bodies are taken as large as it allows."""
    body_seconds: float = 20.0
    """How long the body of one request may take. Without it, as many slow clients as there are places would end all
    service. 16 MiB take so long at 7 Mbit/s; the router gives up a request after 30 s, and a pod that ends has 25 s
    for what began last."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads `tidegate.pod.Variable`.

        Raises:
            InvalidSettings: A variable is absent, or its value can't be used.
        """
        log_format = environment.get(Variable.LOG_FORMAT, "json")
        return cls(
            model=_required(environment, Variable.MODEL),
            revision=_required(environment, Variable.REVISION),
            source=_required(environment, Variable.SOURCE),
            digest=_required(environment, Variable.DIGEST),
            secret=environment.get(Variable.SECRET, ""),
            threads=int(_number(environment, Variable.THREADS, default=1, least=1)),
            drain_seconds=_number(environment, Variable.DRAIN, default=DRAIN_SECONDS, least=0),
            memory_bytes=read_limit(),
            log_format="text" if log_format == "text" else "json",
        )


def _required(environment: Mapping[str, str], variable: Variable) -> str:
    value = environment.get(variable, "")
    if not value:
        raise InvalidSettings(f"the environment variable {variable} is not set; the operator sets it")
    return value


def _number(environment: Mapping[str, str], variable: Variable, *, default: float, least: float) -> float:
    text = environment.get(variable, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        raise InvalidSettings(f"{variable} is '{text}', but a number of at least {least:g} is needed")
    return value
