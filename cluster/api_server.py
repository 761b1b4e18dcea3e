"""A kube-apiserver with its etcd, alone on loopback: no kubelet, no controllers, ready in seconds."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import cache

READY_SECONDS = 90
STOP_SECONDS = 30
ADMIN_TOKEN = "admin-of-this-run"  # noqa: S105 - of a server that lasts as long as its run
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}],
}


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the server listens, how to trust it, and where it writes down what it was asked."""

    url: str
    certificate: Path
    audit_log: Path
    """One JSON line for each stage of every request of a ServiceAccount."""

    def read_requests(self, account: str) -> list[dict[str, Any]]:
        """What `system:serviceaccount:<account>` has asked for, as audit events, the newest last."""
        events = [json.loads(line) for line in self.audit_log.read_text().splitlines()]
        return [e for e in events if e["user"]["username"] == f"system:serviceaccount:{account}"]

    def trust(self) -> ssl.SSLContext:
        """A context that trusts this server alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def get(self, path: str) -> str:
        """What the server answers the admin at a path; raises OSError where it does not, or not with success."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        request = urllib.request.Request(self.url + path, headers=headers)  # noqa: S310 - https, built above
        with urllib.request.urlopen(request, timeout=30, context=self.trust()) as answer:  # noqa: S310 - as above
            text: str = answer.read().decode()
            return text

    def write_kubeconfig(self, path: Path, token: str = ADMIN_TOKEN) -> Path:
        """Write a kubeconfig with which a program is the holder of a token."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "alone",
                    "cluster": {"server": self.url, "certificate-authority": str(self.certificate)},
                }
            ],
            "users": [{"name": "holder", "user": {"token": token}}],
            "contexts": [{"name": "alone", "context": {"cluster": "alone", "user": "holder"}}],
            "current-context": "alone",
        }
        path.write_text(json.dumps(config))
        return path


def find_binary(name: str) -> Path:
    """Where `make cluster` copied it out of the node, or where TIDEGATE_API_BINARIES says."""
    folder = (cache.read_env(cache.CLUSTER_ENV) | os.environ).get("TIDEGATE_API_BINARIES")
    if folder is None or not (Path(folder) / name).is_file():
        msg = f"{name} is not there; run `make cluster` once, or set TIDEGATE_API_BINARIES to a folder that has it"
        raise FileNotFoundError(msg)
    return Path(folder) / name


@contextmanager
def run_api_server(folder: Path, *, flags: Sequence[str] = ()) -> Iterator[ApiServer]:
    """Run both until the block ends, the API server with further flags."""
    etcd_port, peer_port, port = (free_port() for _ in range(3))
    etcd, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    server = ApiServer(f"https://127.0.0.1:{port}", folder / "apiserver.crt", folder / "audit.log")
    with ExitStack() as running:
        running.enter_context(
            run_program(
                folder,
                find_binary("etcd"),
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--unsafe-no-fsync",
            )
        )
        process = running.enter_context(
            run_program(folder, find_binary("kube-apiserver"), *_flags(server, folder, etcd), *flags)
        )
        _wait_until_ready(server, process, folder / "kube-apiserver.log")
        yield server


def _flags(server: ApiServer, folder: Path, etcd: str) -> list[str]:
    key, tokens, audit = folder / "service-accounts.key", folder / "tokens.csv", folder / "audit.json"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text(f"{ADMIN_TOKEN},admin,admin,system:masters\n")
    audit.write_text(json.dumps(AUDIT_POLICY))
    return [
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={server.url.rpartition(':')[2]}",
        f"--cert-dir={folder}",
        f"--token-auth-file={tokens}",
        f"--audit-policy-file={audit}",
        f"--audit-log-path={server.audit_log}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        # No controller makes the ServiceAccounts that this one would wait for.
        "--disable-admission-plugins=ServiceAccount",
    ]


@contextmanager
def run_program(
    folder: Path, program: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its log in a folder; it is ended, and waited for, when the block ends."""
    with (folder / f"{program.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [program, *arguments], stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def _wait_until_ready(server: ApiServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    last = "it does not listen yet"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if server.certificate.is_file():
            try:
                last = server.get("/readyz")
                server.get("/api/v1/namespaces/default")
            except (urllib.error.URLError, OSError) as error:
                last = str(error)
            else:
                return
        time.sleep(0.1)
    msg = f"kube-apiserver is not ready: {last[-500:]}\n{log.read_text()[-3000:]}"
    raise TimeoutError(msg)


def free_port() -> int:
    """A port that nobody on loopback listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
