"""What `kubectl get modeldeployment -o json` says about a rollout, and how one look differs from the last in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the analysis as status shows it."""

    name: str
    verdict: str
    message: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.name} {self.verdict}: {self.message}"


@dataclass(frozen=True, slots=True)
class RolloutView:
    """One look at a ModelDeployment; empty strings and zeros where status says nothing."""

    phase: str
    stable: str
    """Name of the ModelVersion that answers users."""
    candidate: str
    weight: int
    mirror: int
    observed_percent: float | None
    """The candidate's share of users' requests as the routers counted it."""
    requests: int
    """Requests that the candidate saw in this step, copies included."""
    checks: tuple[Check, ...]
    message: str
    """What the condition Ready says."""
    ready: bool
    rejected: Mapping[str, str]
    """What each ModelVersion was taken back for: reason and sentence."""
    revisions: Mapping[str, str]
    """Names of the revisions by ModelVersion, for those that status names."""
    gates: tuple[Check, ...] = ()
    """What each gate says of the latest candidate, once all have ended."""

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> Self:
        """Reads an object as the API server gives it."""
        status = deployment.get("status", {})
        traffic, rollout = status.get("traffic") or {}, status.get("rollout") or {}
        desired, observed = traffic.get("desired") or {}, traffic.get("observed") or {}
        roles = [status.get(role) or {} for role in ("stable", "candidate", "warm")]
        steps = rollout.get("steps") or [{}]
        ready, gates = _condition(status, "Ready"), status.get("gates") or {}
        fresh = status.get("observedGeneration") == deployment["metadata"].get("generation")
        return cls(
            phase=status.get("phase", ""),
            stable=roles[0].get("modelVersion", ""),
            candidate=roles[1].get("modelVersion", ""),
            weight=desired.get("candidateWeight", 0),
            mirror=desired.get("mirror", 0),
            observed_percent=_share(observed),
            requests=steps[-1].get("candidateRequests", 0),
            checks=tuple(Check(c["name"], c["verdict"], c["message"]) for c in rollout.get("checks", [])),
            gates=tuple(Check(g["gate"], g["verdict"], g["message"]) for g in gates.get("results", [])),
            message=ready.get("message", ""),
            ready=fresh and ready.get("status") == "True",
            rejected={
                r["modelVersion"]: f"{r['reason']}: {r['message']}" for r in status.get("rejected", [])
            },
            revisions={role["modelVersion"]: role["revision"] for role in roles if role},
        )

    @property
    def split(self) -> str:
        """Which share the candidate should have, and has."""
        if self.mirror:
            return f"mirror {self.mirror} %"
        seen = "" if self.observed_percent is None else f", seen {self.observed_percent:.1f} %"
        return f"weight {self.weight} %{seen}"

    @property
    def qualifies(self) -> bool:
        """Whether the candidate is held against its gates."""
        return self.phase == "Qualifying"

    @property
    def place(self) -> tuple[object, ...]:
        """What a user would call another place: who serves, who wants to, and with which share."""
        return self.stable, self.candidate, self.weight, self.mirror, self.qualifies


def tell_move(before: RolloutView | None, now: RolloutView) -> Iterator[str]:
    """The lines that a change of place is worth; none when nothing moved."""
    if before is not None and before.place == now.place:
        return
    if before is not None and before.candidate and not now.candidate:
        yield from _tell_end(before, now)
    elif now.candidate and now.mirror:
        yield f"mirror {now.mirror} %   {now.candidate} gets a copy of the requests; its answers are dropped"
    elif now.candidate and now.weight:
        yield f"weight {now.weight} %   {now.candidate} answers users"
    elif now.candidate and now.qualifies:
        yield f"gates   {now.candidate} is held against them under its limits; no request meets it"
    elif now.candidate:
        if before is not None and before.qualifies:
            yield f"gates   {now.candidate} has passed them"
            yield from (f"    {gate}" for gate in now.gates)
        yield f"{now.candidate} starts: 0 % until its pods are ready"
    elif now.stable:
        yield f"{now.stable} serves all requests"


def tell_evidence(now: RolloutView) -> Iterator[str]:
    """Where the step stands: the share that was counted, the requests, and each check with its numbers."""
    yield f"{now.split}   {now.candidate} saw {now.requests} requests in this step"
    for check in now.checks:
        yield f"    {check}"


def _tell_end(before: RolloutView, now: RolloutView) -> Iterator[str]:
    if now.stable == before.candidate and not before.stable:
        yield f"{now.stable} serves all requests"
    elif now.stable == before.candidate:
        yield f"PROMOTED   {now.stable} serves all requests"
        for check in before.checks:
            yield f"    {check}"
    elif before.qualifies and before.candidate in now.rejected:
        yield f"BLOCKED   {before.candidate}; no request has met it, all are answered by {now.stable}"
        yield from (f"    {gate}" for gate in now.gates)
    elif why := now.rejected.get(before.candidate):
        yield f"TAKEN BACK   {before.candidate}; all requests are answered by {now.stable}"
        yield f"    {why}"
    else:
        yield f"withdrawn   {before.candidate}; all requests are answered by {now.stable}"


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = (c for c in status.get("conditions", []) if c["type"] == kind)
    return next(found, {})


def _share(observed: Mapping[str, Any]) -> float | None:
    share = observed.get("candidatePercent")
    return float(share.removesuffix("%")) if share else None
