"""A kube-apiserver with its etcd, alone on loopback: no kubelet, no controllers, ready in seconds."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cluster import cache

READY_SECONDS = 90
ADMIN_TOKEN = "admin-of-this-run"
AUDIT_LOG = "audit.log"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}],
}


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the server listens, and how to trust it."""

    url: str
    certificate: Path

    def read_requests(self, account: str) -> list[dict[str, Any]]:
        """What `system:serviceaccount:<account>` has asked for, as audit events, the newest last."""
        log = self.certificate.with_name(AUDIT_LOG)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        return [e for e in events if e["user"]["username"] == f"system:serviceaccount:{account}"]

    def client(self, token: str = ADMIN_TOKEN, **headers: str) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(
            base_url=self.url,
            verify=context,
            headers={"Authorization": f"Bearer {token}"} | headers,
            timeout=30,
        )


def find_binary(name: str) -> Path:
    """Where `make cluster` copied it out of the node, or where TIDEGATE_API_BINARIES says."""
    folder = (cache.read_env(cache.CLUSTER_ENV) | os.environ).get("TIDEGATE_API_BINARIES")
    if folder is None or not (Path(folder) / name).is_file():
        msg = f"{name} is not there; run `make cluster` once, or set TIDEGATE_API_BINARIES to a folder that has it"
        raise FileNotFoundError(msg)
    return Path(folder) / name


@contextmanager
def run_api_server(folder: Path) -> Iterator[ApiServer]:
    etcd_port, peer_port, port = (free_port() for _ in range(3))
    with ExitStack() as running:
        etcd = f"http://127.0.0.1:{etcd_port}"
        peer = f"http://127.0.0.1:{peer_port}"
        running.enter_context(
            _program(
                folder,
                "etcd",
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--unsafe-no-fsync",
            )
        )
        process = running.enter_context(_program(folder, "kube-apiserver", *_flags(folder, etcd, port)))
        server = ApiServer(f"https://127.0.0.1:{port}", folder / "apiserver.crt")
        _wait_until_ready(server, process, folder / "kube-apiserver.log")
        yield server


def _flags(folder: Path, etcd: str, port: int) -> list[str]:
    key, tokens = folder / "service-accounts.key", folder / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text(f"{ADMIN_TOKEN},admin,admin,system:masters\n")
    audit = folder / "audit.json"
    audit.write_text(json.dumps(AUDIT_POLICY))
    return [
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder}",
        f"--token-auth-file={tokens}",
        f"--audit-policy-file={audit}",
        f"--audit-log-path={folder / AUDIT_LOG}",
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
def _program(folder: Path, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([find_binary(name), *arguments], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(server: ApiServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    last = "it does not listen yet"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if server.certificate.is_file():
            try:
                with server.client() as client:
                    last = client.get("/readyz").text
                    if last == "ok" and client.get("/api/v1/namespaces/default").is_success:
                        return
            except httpx.TransportError as error:
                last = str(error)
        time.sleep(0.1)
    msg = f"kube-apiserver is not ready: {last[-500:]}\n{log.read_text()[-3000:]}"
    raise TimeoutError(msg)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
