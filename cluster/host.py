"""Brings the machine into a state that can run kind, or says in one sentence what stops it."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from cluster import cache
from cluster.steps import Refusal, output_of, say, step, succeeds

DAEMON_SETTINGS = Path("/etc/docker/daemon.json")
DAEMON_PID = Path("/var/run/docker.pid")
BOUNDED_RUNTIME = Path("/usr/local/sbin/runc-bounded")
CAP_SYS_RESOURCE = 24
DAEMON_START_SECONDS = 90


def ensure_docker() -> None:
    """A Docker daemon that answers this user and can run a privileged container."""
    if shutil.which("docker") is None:
        install(
            "docker.io",
            why="Docker is missing",
            mend="install it from https://docs.docker.com/engine/install",
        )
    if not succeeds("docker", "info", "-f", "{{.ServerVersion}}"):
        _start_daemon()
    if _lacks_sys_resource() and output_of("docker", "info", "-f", "{{.DefaultRuntime}}") != "bounded":
        _bound_the_runtime()
        os.kill(int(DAEMON_PID.read_text()), signal.SIGHUP)
        _wait_for("bounded", "docker", "info", "-f", "{{.DefaultRuntime}}")


def _start_daemon() -> None:
    if os.geteuid() != 0:
        raise Refusal(
            f"Docker does not answer {_user()}: `sudo systemctl start docker`, and if it runs already, "
            f"`sudo usermod -aG docker {_user()}` and log in again."
        )
    if shutil.which("dockerd") is None:
        install("docker.io", why="dockerd is missing", mend="install Docker Engine")
    if _lacks_sys_resource():
        _bound_the_runtime()
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "start", "docker"], check=True, timeout=DAEMON_START_SECONDS)
    else:
        _start_daemon_by_hand()
    _wait_for("", "docker", "info", "-f", "{{.ServerVersion}}")


def _start_daemon_by_hand() -> None:
    # Without this, dockerd refuses to start where a killed one left its number and another process has it now.
    if DAEMON_PID.is_file() and not _is_dockerd(DAEMON_PID.read_text().strip()):
        DAEMON_PID.unlink()
    cache.LOGS.mkdir(parents=True, exist_ok=True)
    with (cache.LOGS / "dockerd.log").open("ab") as log:
        # A session of its own: the daemon must outlive this terminal and its interrupts.
        subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    say("dockerd started by hand, since no init runs here")


def _is_dockerd(pid: str) -> bool:
    name = Path(f"/proc/{pid}/comm")
    return name.is_file() and name.read_text().strip() == "dockerd"


def _wait_for(expected: str, *command: str) -> None:
    deadline = time.monotonic() + DAEMON_START_SECONDS
    while not (succeeds(*command) and expected in output_of(*command)):
        if time.monotonic() > deadline:
            raise Refusal(
                f"`{' '.join(command)}` did not succeed within {DAEMON_START_SECONDS} s; "
                f"see {cache.LOGS / 'dockerd.log'} or `journalctl -u docker`."
            )
        time.sleep(0.3)


def _lacks_sys_resource() -> bool:
    status = Path("/proc/self/status")
    if os.geteuid() != 0 or not status.is_file():
        return False
    bounding_set = next(line for line in status.read_text().splitlines() if line.startswith("CapBnd"))
    return not int(bounding_set.split()[1], 16) >> CAP_SYS_RESOURCE & 1


def _bound_the_runtime() -> None:
    """Makes the bounded runc Docker's default and keeps what else its settings say."""
    shutil.copy(Path(__file__).parent / "host/runc-bounded", BOUNDED_RUNTIME)
    settings = json.loads(DAEMON_SETTINGS.read_text()) if DAEMON_SETTINGS.is_file() else {}
    settings.setdefault("runtimes", {})["bounded"] = {"path": str(BOUNDED_RUNTIME)}
    settings["default-runtime"] = "bounded"
    DAEMON_SETTINGS.parent.mkdir(exist_ok=True)
    DAEMON_SETTINGS.write_text(json.dumps(settings, indent=2) + "\n")


def install(*packages: str, why: str, mend: str) -> None:
    """Installs Debian packages where we are root on Debian; elsewhere says what to do instead."""
    if shutil.which("apt-get") is None:
        raise Refusal(f"{why}: {mend}.")
    if os.geteuid() != 0:
        raise Refusal(f"{why}: `sudo apt-get install {' '.join(packages)}`.")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"install {' '.join(packages)}", limit_seconds=600) as this:
        this.run("apt-get", "update", "-q", env=quiet)
        this.run("apt-get", "install", "-qy", "--no-install-recommends", *packages, env=quiet)


def require_root(purpose: str, instead: str) -> None:
    """Refuses where a build needs root: it makes device nodes, mounts and files of other users."""
    if os.geteuid() != 0:
        raise Refusal(f"{purpose} takes root: {instead}.")


def require_disk(gigabytes: int, purpose: str) -> None:
    """Refuses where the cache or Docker's own folder has less room than a step will fill."""
    docker_root = Path(output_of("docker", "info", "-f", "{{.DockerRootDir}}"))
    for folder in (cache.ROOT, docker_root):
        if folder.is_dir() and (free := shutil.disk_usage(folder).free) < gigabytes * 10**9:
            raise Refusal(
                f"{purpose} needs {gigabytes} GB free, {folder} has {free / 10**9:.1f}: "
                f"`docker system prune` frees Docker's part, and TIDEGATE_CACHE=<folder on a larger disk> moves ours."
            )


def _user() -> str:
    return os.environ.get("USER") or "$USER"
