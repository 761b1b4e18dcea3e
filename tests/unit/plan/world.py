"""A world for plans: pods that take their time, clients that send at a rate, and a clock that we turn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tidegate.counts import LATENCY_BOUNDS_MS
from tidegate.gate_report import GateResult, Report
from tidegate.history import Stay
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.observe.workloads import parse_revision
from tidegate_operator.plan.facts import GateRun, PodFact, Revision, Snapshot, Traffic, Trouble, Workload
from tidegate_operator.plan.plan import Plan
from tidegate_operator.plan.planner import plan
from tidegate_operator.plan.release_policy import NotSigned
from tidegate_operator.plan.render import RenderSettings

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = RenderSettings(predictor_image="predictor:1")
DIGITS = "0123456789abcdef"
ROUTER = Workload(1, (PodFact("tidegate-router-x", ready=True),))


@dataclass
class Behaviour:
    """What the pods of one version do."""

    start_seconds: float = 2.0
    failing: float = 0.0
    slow: float = 0.0
    not_finite: float = 0.0
    trouble: Trouble | None = None
    reason: str = ""
    message: str = ""
    restarts: int = 0
    since: datetime | None = None
    gates: tuple[GateResult, ...] = ()
    """What its gates say after `gates_seconds`."""
    gates_seconds: float = 20.0
    gates_failure: str = ""
    """Why they say nothing, if they don't."""
    gates_trouble: PodFact | None = None
    """What the predictor beside them is like, if it does not answer."""


@dataclass
class World:
    """One ModelDeployment `fraud` and everything around it."""

    requests_per_second: float = 50.0
    routers: int = 1
    routes_known: bool = True
    router: Workload | None = ROUTER
    seen_seconds: float = math.inf
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    now: datetime = START
    spec: dict[str, object] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    generation: int = 0
    status: dict[str, object] = field(default_factory=dict)
    versions: dict[str, ModelVersion] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    workloads: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    jobs: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    """Jobs that hold gates: since when, and of which version."""
    reports: dict[str, dict[str, object]] = field(default_factory=dict)
    owed: dict[tuple[str, str], float] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    last: Plan | None = None
    seen_message: str = ""
    no_pods: str = ""
    """A version of which Kubernetes makes no pods, and does not say why."""
    unsigned: dict[str, NotSigned] = field(default_factory=dict)
    """By version: what a release policy says of it."""
    loses_records: bool = False
    """Whether what is known of revisions later on does not reach their records, as in a crash."""
    was_ready: dict[str, bool] = field(default_factory=dict)

    def version(
        self,
        name: str,
        behaviour: Behaviour | None = None,
        *,
        digest: str = "",
        model: str = "fraud",
        path: str = "",
    ) -> World:
        """Adds a ModelVersion whose pods behave so; `path` is where its bundle lies, by default in its own folder."""
        letter = DIGITS[len(self.versions) % 16]
        source = {"uri": f"s3://models/fraud/{path or name}"}
        body = {"model": model, "digest": "sha256:" + (digest or letter) * 64, "source": source}
        self.versions[name] = ModelVersion.model_validate({"metadata": {"name": name}, "spec": body})
        self.behaviours[name] = behaviour or Behaviour()
        return self

    def want_signatures(self, of: str, *unsigned: str, why: str = "there is none in spec.signature") -> World:
        """The operator comes back with a policy that wants these signatures, which some versions don't bear."""
        self.unsigned = {version: NotSigned("bank", of, why) for version in unsigned}
        self.say("admin", f"wants signatures by {of}")
        return self

    def apply(self, **spec: object) -> World:
        """`kubectl apply` of the ModelDeployment with these fields changed."""
        self.spec |= spec
        self.generation += 1
        self.say("user", "applies " + ", ".join(_say(key, value) for key, value in spec.items()))
        return self

    def play(self, seconds: float, *, pace: float = 1.0) -> World:
        """Turns the clock, with a look every `pace` seconds."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.look()
            self.now += timedelta(seconds=pace)
            self._send(pace)
        return self

    def look(self) -> Plan:
        """One look: a snapshot, a plan, and everything in the plan done."""
        seen = self.snapshot()
        self.was_ready = {name: workload.ready > 0 for name, workload in seen.workloads.items()}
        made = plan(seen, self.now, SETTINGS)
        self._carry_out(made)
        for note in made.notes:
            self.say("", f"{note.subject:<8}{note.change}")
            self.lines.append(f"{'':22}because {self._with_versions(note.because)}")
        conditions = {condition.type: condition for condition in made.status.conditions}
        words = f"{made.status.phase} {conditions['Ready'].reason}"
        if words != self.seen_message:
            self.say("fraud", f"{words}: {conditions['Ready'].message}")
        self.seen_message = words
        self.last = made
        return made

    def snapshot(self) -> Snapshot:
        """What the operator would read now."""
        deployment = ModelDeployment.model_validate(
            {
                "metadata": {
                    "name": "fraud",
                    "namespace": "bank",
                    "uid": "u",
                    "generation": self.generation,
                    "annotations": self.annotations,
                },
                "spec": self.spec,
                "status": self.status,
            }
        )
        candidate = deployment.status.candidate
        return Snapshot(
            deployment=deployment,
            version=self.versions.get(deployment.spec.model_version),
            revisions=tuple(self.revisions.values()),
            workloads={name: self._workload(name) for name in self.workloads},
            traffic={name: self._traffic(name) for name in self.workloads},
            routers=self.routers,
            routes_known=self.routes_known and bool(self.routers),
            router=self.router,
            seen_seconds=self.seen_seconds,
            gate_runs={name: self._gate_run(name) for name in self.jobs},
            vouchings={
                name: found
                for name, found in self.unsigned.items()
                if name in (deployment.spec.model_version, candidate.model_version if candidate else "")
            },
        )

    def snapshot_again(self) -> Snapshot:
        """The same look, without using up what the clients sent."""
        owed = dict(self.owed)
        seen = self.snapshot()
        self.owed = owed
        return seen

    def stays(self, version: str) -> list[Stay]:
        """The history of a version, as its record tells it."""
        found = (revision for revision in self.revisions.values() if revision.model_version == version)
        return [stay for revision in found for stay in revision.recorded]

    def name_of(self, revision: str) -> str:
        """The version behind a revision."""
        return self.revisions[revision].model_version

    def say(self, who: str, words: str) -> None:
        """One line of the transcript, with versions for the hashes of revisions."""
        words = self._with_versions(words)
        seconds = (self.now - START).total_seconds()
        self.lines.append(f"{seconds:5.0f}s  {who:<6}{words}".rstrip())

    def _with_versions(self, words: str) -> str:
        for revision in self.revisions.values():
            words = words.replace(revision.name, revision.model_version)
        return words

    def transcript(self, title: str) -> str:
        """The whole story."""
        return "\n".join([title, *self.lines]) + "\n"

    def _workload(self, revision: str) -> Workload:
        if self.no_pods == self.name_of(revision):
            return Workload(wanted=1)
        created, wanted = self.workloads[revision]
        behaviour = self.behaviours[self.name_of(revision)]
        up = (
            self.now - (behaviour.since or created) >= timedelta(seconds=behaviour.start_seconds)
            and not behaviour.trouble
        )
        pod = PodFact(
            name=f"{revision}-0",
            ready=up,
            restarts=behaviour.restarts,
            running_since=None if behaviour.trouble else behaviour.since or created,
            trouble=behaviour.trouble,
            reason=behaviour.reason,
            message=behaviour.message,
        )
        return Workload(
            wanted=wanted, pods=tuple(replace(pod, name=f"{revision}-{i}") for i in range(wanted))
        )

    def _gate_run(self, name: str) -> GateRun:
        since, version = self.jobs[name]
        behaviour = self.behaviours[version]
        ended_at = since + timedelta(seconds=behaviour.gates_seconds)
        predictor = behaviour.gates_trouble or PodFact(f"{name}-0", ready=False)
        if self.now < ended_at:
            return GateRun(name, predictor)
        failure = behaviour.gates_failure
        report = None if failure else Report("fraud", self.versions[version].spec.digest, "", behaviour.gates)
        return GateRun(name, predictor, report, failure=failure, ended_at=ended_at.isoformat())

    def _traffic(self, revision: str) -> Traffic:
        requests, failed, slow, odd = (
            self._take(revision, what) for what in ("all", "failed", "slow", "odd")
        )
        bins = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        bins[5], bins[-2] = requests - slow, slow
        return Traffic(
            requests,
            failed,
            tuple(bins),
            not_finite=odd,
            healthy=self._workload(revision).ready if self.routers else 0,
        )

    def _take(self, revision: str, what: str) -> int:
        owed = self.owed.get((revision, what), 0.0)
        self.owed[revision, what] = owed - int(owed + 1e-9)
        return int(owed + 1e-9)

    def _send(self, seconds: float) -> None:
        route = self.last.route if self.last else None
        if route is None:
            return
        sent = self.requests_per_second * seconds
        shares = {route.stable: (100 - route.weight) / 100}
        if route.candidate:
            shares[route.candidate] = (route.weight + route.mirror) / 100
        for revision, share in shares.items():
            behaviour = self.behaviours[self.name_of(revision)]
            rates = {
                "all": 1.0,
                "failed": behaviour.failing,
                "slow": behaviour.slow,
                "odd": behaviour.not_finite,
            }
            for what, rate in rates.items():
                self.owed[revision, what] = self.owed.get((revision, what), 0.0) + sent * share * rate

    def _carry_out(self, made: Plan) -> None:
        self.status = made.status.model_dump(by_alias=True, mode="json")
        for manifest in made.apply:
            name = manifest["metadata"]["name"]
            if manifest["kind"] == "ControllerRevision" and not (
                self.loses_records and name in self.revisions
            ):
                self.revisions[name] = parse_revision(manifest)
            if manifest["kind"] == "Deployment":
                created = self.workloads.get(name, (self.now, 0))[0]
                self.workloads[name] = (created, manifest["spec"]["replicas"])
            if manifest["kind"] == "Job":
                assert made.status.gates
                self.jobs[name] = (self.now, made.status.gates.model_version)
            if manifest["kind"] == "GateReport":
                known = self.reports.setdefault(name, manifest["spec"])
                assert known == manifest["spec"], "a report never changes"
        for kind, name in made.delete:
            if kind == "Job":
                self.jobs.pop(name, None)
            if kind == "Deployment":
                self.workloads.pop(name, None)


def _say(key: str, value: object) -> str:
    """A field as a user would say it; of nested ones only the name."""
    return key if isinstance(value, dict | list) else f"{key}: {value}"
