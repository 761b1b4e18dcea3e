"""The servers under comparison: how each is started and asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
V1 = "/v1/models/bench:predict"
V2 = "/v2/models/bench/infer"


@dataclass(frozen=True, slots=True)
class Server:
    """One of them. In `command`, {bin} is its environment's folder of programs and {port} where it is to listen."""

    name: str
    title: str
    environment: str
    """Its lock is `locks/bench-<environment>.txt`; empty: this checkout's own environment."""
    command: tuple[str, ...]
    path: str
    body: str
    """`v2`: one tensor of the Open Inference Protocol. `rows`: {"instances": [[…]]}."""
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def family(self) -> str:
        """What it is one way to set up, and what its figures stand under: of its ways, the fastest."""
        return self.name.partition("+")[0]


_MLSERVER = Server(
    "mlserver",
    "MLServer",
    "mlserver",
    ("{bin}/mlserver", "start", "."),
    V2,
    "v2",
    (
        ("MLSERVER_HOST", "127.0.0.1"),
        ("MLSERVER_HTTP_PORT", "{port}"),
        ("MLSERVER_GRPC_PORT", "{port1}"),
        ("MLSERVER_METRICS_PORT", "{port2}"),
        ("MLSERVER_DEBUG", "false"),
        ("MLSERVER_PARALLEL_WORKERS", "0"),
        ("MLSERVER_MODEL_NAME", "bench"),
        ("MLSERVER_MODEL_IMPLEMENTATION", "mlserver_runtime.OnnxModel"),
    ),
)
_BENTOML = Server(
    "bentoml",
    "BentoML",
    "bentoml",
    ("{bin}/bentoml", "serve", "--host=127.0.0.1", "--port={port}", "bentoml_service:Bench"),
    "/predict",
    "rows",
    (("BENTOML_DO_NOT_TRACK", "true"),),
)
_LITSERVE = Server(
    "litserve",
    "LitServe",
    "litserve",
    ("{bin}/python", str(PROGRAMS / "litserve_server.py")),
    "/predict",
    "rows",
)
_OURS = ("{python}", str(PROGRAMS / "serve_bundle.py"), "{bundle}", "{port}")


def _batching(server: Server, *variables: tuple[str, str]) -> Server:
    """The same server, waiting for company."""
    variables = (*server.variables, *(variables or (("BENCH_BATCHING", "1"),)))
    title = f"{server.title}, batching"
    return replace(server, name=f"{server.name}+batching", title=title, variables=variables)


SERVERS = (
    Server("tidegate", "Tidegate, OIP v2", "", _OURS, V2, "v2"),
    Server("tidegate_v1", "Tidegate, V1", "", _OURS, V1, "rows"),
    Server(
        "fastapi",
        "FastAPI, as its tutorial has it",
        "fastapi",
        ("{bin}/fastapi", "run", "--host=127.0.0.1", "--port={port}", str(PROGRAMS / "fastapi_plain.py")),
        V1,
        "rows",
    ),
    Server(
        "fastapi_tuned",
        "FastAPI, tuned",
        "fastapi",
        ("{bin}/python", str(PROGRAMS / "fastapi_tuned.py")),
        V1,
        "rows",
    ),
    _MLSERVER,
    # Of 1 and 5 ms, the better one for 16 connections.
    _batching(_MLSERVER, ("MLSERVER_MODEL_MAX_BATCH_SIZE", "16"), ("MLSERVER_MODEL_MAX_BATCH_TIME", "0.005")),
    Server(
        "kserve",
        "KServe's Python server",
        "kserve",
        ("{bin}/python", str(PROGRAMS / "kserve_model.py")),
        V2,
        "v2",
    ),
    _BENTOML,
    _batching(_BENTOML),
    _LITSERVE,
    _batching(_LITSERVE),
)
