"""Builds kind's node image from Go modules and Debian packages, for machines that reach no container registry."""

import os
import shutil
import subprocess
from pathlib import Path

from cluster import cache, host, programs
from cluster.registry import forget_older, is_here
from cluster.steps import Step, output_of, step, together

HERE = Path(__file__).parent
SUITE = "bookworm"
PACKAGES = (
    "systemd,systemd-sysv,dbus,containerd,runc,containernetworking-plugins,iptables,conntrack,iproute2,ethtool,"
    "kmod,mount,util-linux,hostname,procps,ca-certificates"
)
# Units that have no place in a container: they would wait for devices, terminals or a schedule.
MASKED_UNITS = (
    *("getty.target", "console-getty.service", "systemd-logind.service", "systemd-udevd.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"),
    *("e2scrub_all.timer", "e2scrub_reap.service", "proc-sys-fs-binfmt_misc.automount"),
    *("dev-hugepages.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount"),
    *("systemd-remount-fs.service", "systemd-sysctl.service", "systemd-modules-load.service"),
)
IPTABLES = tuple(
    f"{family}tables{suffix}" for family in ("ip", "ip6") for suffix in ("", "-save", "-restore")
)
FOLDER = cache.ROOT / "node"
KEY = cache.digest_of(HERE / "node", HERE / "programs", HERE / "node_image.py")
IMAGE = f"tidegate/node:v{programs.version_of('kubernetes')}-{KEY}"
GIGABYTES_FOR_A_BUILD = 12


def build() -> str:
    """The name of the node image, built, or brought back into Docker, only where it is not there."""
    if is_here(IMAGE):
        return IMAGE
    archive = FOLDER / f"{KEY}.tar"
    if not archive.is_file():
        _make_archive(archive)
    with step("import node image") as this:
        entry = 'ENTRYPOINT ["/kind/entrypoint"]'
        this.run("docker", "import", "-c", "ENV container=docker", "-c", entry, archive, IMAGE)
    forget_older(IMAGE)
    return IMAGE


def _make_archive(archive: Path) -> None:
    host.require_root(
        "Building a node image, which is done where kindest/node can't be pulled,", "`sudo make cluster`"
    )
    host.require_disk(GIGABYTES_FOR_A_BUILD, "Building Kubernetes")
    if shutil.which("mmdebstrap") is None:
        host.install(
            "mmdebstrap", why="mmdebstrap is missing", mend="it is a Debian tool: build on Debian or Ubuntu"
        )
    root, proxy_root = FOLDER / f"{KEY}.root", FOLDER / f"{KEY}.proxy"
    # Compilers keep both cores busy; the two Debian roots are mostly download and fill the gaps.
    together(_build_programs, lambda: _debian_roots(root, proxy_root))
    with step("assemble node image") as this:
        names = _cluster_image_names()
        _install_node_files(root, names["pause"])
        images = FOLDER / f"{KEY}.images.tar"
        _save_cluster_images(this, names, proxy_root, images)
        this.run("unshare", "--mount", "--pid", "--fork", "--kill-child", HERE / "node/preload", root, images)
        with cache.making(archive) as partial:
            without = [f"--exclude=./{folder}/*" for folder in ("proc", "sys", "dev", "run")]
            this.run("tar", "-C", root, "--numeric-owner", *without, "-cf", partial, ".")
    for leftover in (root, proxy_root, images):
        cache.discard(leftover)
    cache.discard_others(archive, "*.tar")
    programs.forget_go_cache_where_disk_is_short()


def _build_programs() -> None:
    for name in ("kubernetes", "etcd", "coredns", "pause"):
        programs.build(programs.SOURCES / name)


def program(name: str) -> Path:
    """The binary of a cluster program as it was built here."""
    module = name if name in {"etcd", "coredns", "pause"} else "kubernetes"
    return programs.folder_of(programs.SOURCES / module) / name


def _debian_roots(root: Path, proxy_root: Path) -> None:
    _debian_root(root)
    _debian_proxy_root(proxy_root)


def _debian_root(root: Path) -> None:
    if root.is_dir():
        return
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale")]
    with step("Debian root of the node") as this, cache.making(root) as partial:
        this.run("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", *excluded, SUITE, partial)


def _debian_proxy_root(root: Path) -> None:
    """kube-proxy runs the iptables programs: they are unpacked with what they link to, nothing is configured."""
    if root.is_dir():
        return
    with step("Debian root of kube-proxy") as this, cache.making(root) as partial:
        this.run("mmdebstrap", "--variant=extract", "--include=iptables", SUITE, partial)
        shutil.rmtree(partial / "usr/share")
        shutil.rmtree(partial / "dev")
        for name in IPTABLES:
            link = partial / "usr/sbin" / name
            link.unlink(missing_ok=True)
            link.symlink_to("xtables-nft-multi")


def _cluster_image_names() -> dict[str, str]:
    """The images that this kubeadm asks for, by their last name: `etcd` → `<registry>/etcd:3.6.6-0`."""
    version = f"v{programs.version_of('kubernetes')}"
    listed = output_of(program("kubeadm"), "config", "images", "list", "--kubernetes-version", version)
    return {name.rsplit("/", 1)[1].split(":")[0]: name for name in listed.splitlines()}


def _save_cluster_images(this: Step, names: dict[str, str], proxy_root: Path, target: Path) -> None:
    """Writes the control plane's images into one archive: each is a single static binary, kube-proxy excepted."""
    scratch = FOLDER / f"{KEY}.image"
    for name, image in names.items():
        cache.discard(scratch)
        if name == "kube-proxy":
            shutil.copytree(proxy_root, scratch, symlinks=True)
        entry = name in {
            "coredns",
            "pause",
        }  # the others are started by name; kubeadm relies on these entry points
        folder = scratch if entry else scratch / "usr/local/bin"
        folder.mkdir(parents=True, exist_ok=True)
        (scratch / "tmp").mkdir(exist_ok=True)
        shutil.copy(program(name), folder / name)
        layer = FOLDER / f"{KEY}.layer.tar"
        this.run("tar", "-C", scratch, "--numeric-owner", "-cf", layer, ".")
        change = f'ENTRYPOINT ["/{name}"]' if entry else "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin"
        this.run("docker", "import", "-c", change, layer, image)
    this.run("docker", "save", "-o", target, *names.values())
    this.run("docker", "rmi", *names.values())
    for leftover in (scratch, layer):
        cache.discard(leftover)


def _install_node_files(root: Path, pause_image: str) -> None:
    """Lays our files over the Debian root; safe to repeat."""
    shutil.copytree(HERE / "node/root", root, dirs_exist_ok=True)
    subprocess.run(["chown", "-R", "root:root", root / "kind"], check=True)
    for name in ("kubelet", "kubeadm", "kubectl"):
        shutil.copy(program(name), root / "usr/bin" / name)
    (root / "kind/version").write_text(f"v{programs.version_of('kubernetes')}\n")
    (root / "etc/kubernetes/manifests").mkdir(parents=True, exist_ok=True)
    settings = root / "etc/containerd/config.toml"
    settings.write_text(settings.read_text().replace("@PAUSE_IMAGE@", pause_image))
    units = root / "etc/systemd/system"
    _link(units / "multi-user.target.wants/kubelet.service", "/etc/systemd/system/kubelet.service")
    _link(units / "default.target", "/lib/systemd/system/multi-user.target")
    for unit in MASKED_UNITS:
        _link(units / unit, os.devnull)
    for stale in ("etc/machine-id", "etc/hostname"):
        (root / stale).unlink(missing_ok=True)


def _link(link: Path, target: str) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)
