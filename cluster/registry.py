"""Pulls a published image where a registry is in reach, and finds out fast where none is."""

import subprocess
import time

from cluster import cache
from cluster.steps import Refusal, output_of, say, step, succeeds

ANSWER_SECONDS = 15
PULL_SECONDS = 1200


def is_here(image: str) -> bool:
    """Whether Docker has the image already."""
    return succeeds("docker", "image", "inspect", image)


def pulled(image: str) -> bool:
    """Whether the published image is here now; a registry that is silent for 15 seconds counts as out of reach."""
    if is_here(image):
        return True
    if not _registry_knows(image):
        say(f"{image} can't be pulled from here; an image of our own takes its place")
        return False
    with step(f"pull {image.replace('/', ' ')}", limit_seconds=PULL_SECONDS) as this:
        this.run("docker", "pull", image)
    return True


def _registry_knows(image: str) -> bool:
    """Starts a pull and stops it at the first word of the answer, so that the decision takes no download."""
    cache.LOGS.mkdir(parents=True, exist_ok=True)
    answer = cache.LOGS / "registry.log"
    with answer.open("w") as log:
        pull = subprocess.Popen(["docker", "pull", image], stdout=log, stderr=log)
        deadline = time.monotonic() + ANSWER_SECONDS
        while (
            pull.poll() is None and time.monotonic() < deadline and "Pulling from" not in answer.read_text()
        ):
            time.sleep(0.1)
        pull.terminate()
        pull.wait()
    words = answer.read_text()
    if "Cannot connect to the Docker daemon" in words:
        raise Refusal(f"Docker went away while asking for {image}: {words.strip()}")
    return "Pulling from" in words


def forget_older(image: str) -> None:
    """Removes former builds of an image from Docker; without this, each change leaves up to a gigabyte behind."""
    repository = image.rsplit(":", maxsplit=1)[0]
    listed = output_of(
        "docker", "image", "ls", "-f", f"reference={repository}", "--format", "{{.Repository}}:{{.Tag}}"
    )
    for other in set(listed.split()) - {image}:
        succeeds("docker", "image", "rm", other)  # one that a container still uses stays


def forget_our_images() -> None:
    """Removes every image from Docker whose name says that it was built here."""
    ours = output_of(
        "docker", "image", "ls", "-f", "reference=tidegate/*", "--format", "{{.Repository}}:{{.Tag}}"
    )
    if ours:
        output_of("docker", "image", "rm", "-f", *ours.split())
