"""The story: a model is deployed, a better one promoted, a worse one taken back, and one that is unfair blocked."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import obstore
import yaml

import tidegate
from demo.adult import Census, columns, read_census, requests
from demo.ground import Ground, install_operator
from demo.kubectl import Manifest
from demo.load import Book, Load, ask, is_answered
from demo.models import MODELS, boosted_on_mixed_up_rows
from demo.narrator import Narrator
from demo.rollout_watch import RolloutWatch
from demo.store import open_store, publish, start_store
from demo.waiting import (
    BLOCKED,
    FIRST_VERSION_SERVES,
    NAMESPACE_GONE,
    PROMOTED,
    TAKEN_BACK,
    TRAFFIC_FLOWS,
    wait_for,
)

NAMESPACE: Final = "demo"
NAME: Final = "income"
VERSIONS: Final = {**MODELS, "income-4": boosted_on_mixed_up_rows}
REQUESTS_PER_SECOND: Final = 50
_PERSON: Final = Path(__file__).parent / "data" / "person.json"
_MANIFESTS: Final = Path(__file__).parent / "manifests"


class StoryBrokenError(RuntimeError):
    """Something ended otherwise than the story goes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the summary tells."""

    book: Book
    bad_revision: str
    """Whose failures were the bad model's own."""

    @property
    def lost(self) -> int:
        """Requests without the answer that stable would have given."""
        return self.book.failures() - self.failed_by_bad_model

    @property
    def failed_by_bad_model(self) -> int:
        """Requests that the bad model itself answered with a failure."""
        return self.book.failures(of=[self.bad_revision])


class Story:
    """The chapters in their order; each raises with the reason when it does not happen."""

    def __init__(self, ground: Ground, narrator: Narrator) -> None:
        self._ground = ground
        self._kubectl = ground.kubectl.within(NAMESPACE)
        self._narrator = narrator
        self._watch = RolloutWatch(self._kubectl, NAME, narrator)
        self._told_left = ""
        self._entrance = f"http://127.0.0.1:{ground.host_ports[0]}"

    def play(self) -> None:
        """Plays it from the installation to the summary."""
        self._install()
        self._prepare_namespace()
        self._bring_models()
        self._serve_first()
        with self._traffic() as load:
            self._promote_better()
            revision = self._take_back_worse()
            self._block_unfair()
        self._sum_up(Outcome(load.book, revision))

    def _install(self) -> None:
        self._narrator.headline("Installing the operator")
        self._narrator.add("$ helm upgrade --install tidegate charts/tidegate -n tidegate-system")
        install_operator(self._ground)
        self._narrator.say("the operator is ready")

    def _prepare_namespace(self) -> None:
        whole = self._ground.kubectl
        if whole.get("namespace", NAMESPACE):
            self._narrator.say(f"namespace {NAMESPACE} is there from an earlier run; it is removed first")
            whole.run("delete", "namespace", NAMESPACE, "--wait=false")
            wait_for(NAMESPACE_GONE, self._old_namespace_is_gone, last_seen=self._pods_left)
        whole.make_namespace(NAMESPACE)
        self._kubectl.apply(_read_manifest("entrance.yaml"))

    def _old_namespace_is_gone(self) -> bool:
        if left := self._pods_left():
            if left != self._told_left:
                self._narrator.say(f"waiting until {left} drained", passing=True)
            self._told_left = left
        return self._ground.kubectl.get("namespace", NAMESPACE) is None

    def _pods_left(self) -> str:
        pods = self._kubectl.find("pods")
        return f"{len(pods)} pods have" if len(pods) > 1 else "the last pod has" if pods else ""

    def _bring_models(self) -> None:
        self._narrator.headline("Four models of who earns more than 50,000 dollars, from the Adult census")
        keys = start_store(self._kubectl, self._ground.images["TIDEGATE_STORE_IMAGE"])
        census = read_census()
        self._narrator.say(
            f"trained on {len(census.train):,} rows; {len(census.held_out):,} others are the live traffic, "
            f"{columns(census.held_out).isna().any(axis=1).mean():.1%} of them lack a value"
        )
        with open_store(self._kubectl, keys) as store, tempfile.TemporaryDirectory() as folder:
            obstore.put(store, f"{NAME}/held-out.parquet", _write_tidied(census, Path(folder)))
            for name, train in VERSIONS.items():
                model = train(census)
                evaluated = tidegate.Origin(metrics={"auc": round(model.auc, 4)})
                bundle = tidegate.package(
                    model.pipeline, model.sample, name=NAME, folder=Path(folder) / name, origin=evaluated
                )
                self._kubectl.apply(publish(store, bundle, name=name))
                self._narrator.say(
                    f"{name}  {_describe(model.pipeline):<30} AUC {model.auc:.4f}  {bundle.digest[:19]}"
                )

    def _serve_first(self) -> None:
        self._narrator.headline("The first version")
        self._narrator.add("$ kubectl apply -f demo/manifests/income.yaml   # spec.modelVersion: income-1")
        self._kubectl.apply(_read_manifest("income.yaml"))
        self._watch.until(FIRST_VERSION_SERVES, lambda view: view.ready and view.stable == "income-1")

    def _traffic(self) -> Load:
        bodies = list(requests(read_census().held_out))
        url = f"{self._entrance}/v2/models/{NAME}/infer"
        wait_for(TRAFFIC_FLOWS, lambda: is_answered(url, bodies[0]))
        self._narrator.say(f"{REQUESTS_PER_SECOND} requests a second begin, to {url}")
        return Load(url, bodies, per_second=REQUESTS_PER_SECOND)

    def _promote_better(self) -> None:
        self._narrator.headline("A better version: gradient-boosted trees")
        self._point_to("income-2")
        self._watch.until(
            PROMOTED, lambda view: view.ready and view.stable == "income-2", fails_on="income-2"
        )

    def _take_back_worse(self) -> str:
        """Gives the name of the bad revision."""
        self._narrator.headline("A worse version: the same trees, retrained on rows without gaps (dropna)")
        self._point_to("income-3")
        self._watch.until(TAKEN_BACK, lambda view: "income-3" in view.rejected)
        return self._watch.revisions["income-3"]

    def _block_unfair(self) -> None:
        self._narrator.headline(
            "A version that fails a group: the same trees, the labels of those who own a company mixed up"
        )
        self._point_to("income-4")
        self._watch.until(BLOCKED, lambda view: "income-4" in view.rejected)

    def _point_to(self, version: str) -> None:
        patch = json.dumps({"spec": {"modelVersion": version}})
        self._narrator.add(f"$ kubectl patch modeldeployment {NAME} --type=merge -p '{patch}'")
        self._kubectl.run("patch", "modeldeployment", NAME, "--type=merge", f"--patch={patch}")

    def _sum_up(self, outcome: Outcome) -> None:
        book = outcome.book
        self._narrator.headline("What the users saw")
        self._narrator.add(
            f"requests sent                      {book.sent:>7,}",
            f"answered                           {sum(book.answered.values()):>7,}",
            *(f"  by {revision:<30}{count:>7,}" for revision, count in book.answered.items()),
            f"lost                               {outcome.lost:>7,}",
            f"failed by the bad model            {outcome.failed_by_bad_model:>7,}",
            f"latency p50 / p99                  {book.quantile_ms(0.5):.1f} / {book.quantile_ms(0.99):.1f} ms",
        )
        if outcome.lost:
            reasons = "; ".join(book.tell_failures())
            raise StoryBrokenError(f"{outcome.lost} of {book.sent} requests were lost: {reasons}")
        self._show_what_is_next()

    def _show_what_is_next(self) -> None:
        self._narrator.headline("What to look at next")
        kubeconfig = str(self._ground.kubectl.kubeconfig).replace(str(Path.home()), "~", 1)
        self._narrator.add(
            f"$ export KUBECONFIG={kubeconfig}", f"$ kubectl -n {NAMESPACE} get modeldeployments"
        )
        self._narrator.add(*self._kubectl.run("get", "modeldeployments").splitlines())
        url = f"{self._entrance}/v1/models/{NAME}:predict"
        self._narrator.add(f"$ curl {url} --json @demo/data/person.json", ask(url, _PERSON.read_bytes()))
        self._narrator.add("$ make cluster-delete   # removes all of it")


def _read_manifest(name: str) -> Manifest:
    manifest: dict[str, Any] = yaml.safe_load((_MANIFESTS / name).read_text())
    return manifest


def _write_tidied(census: Census, folder: Path) -> bytes:
    """Rows that gates judge by. Whoever tidied the training rows tidied these too, so gates can't find that mistake."""
    path, tidied = folder / "held-out.parquet", census.held_out.dropna()
    duckdb.from_df(tidied).write_parquet(str(path))
    return path.read_bytes()


def _describe(pipeline: Any) -> str:  # noqa: ANN401 - scikit-learn publishes no types
    return type(pipeline[-1]).__name__
