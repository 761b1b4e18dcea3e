"""Loads images from Docker into the node, those only that it does not have."""

from collections.abc import Sequence

from cluster import programs
from cluster.kind import NAME, NODE
from cluster.steps import Refusal, output_of, step, succeeds


def load_images(images: Sequence[str]) -> None:
    """Brings the node's images up to Docker's: one transfer for all that are missing or differ in their id."""
    if not succeeds("docker", "exec", NODE, "true"):
        raise Refusal("There is no cluster to load images into: `make cluster`.")
    # The node's store lists an image under its name and under its id alike.
    there = set(output_of("docker", "exec", NODE, "ctr", "-n", "k8s.io", "images", "ls", "-q").splitlines())
    wanted = [image for image in images if not {f"docker.io/{image}", _id_of(image)} <= there]
    if wanted:
        with step(f"load {len(wanted)} images into the cluster") as this:
            this.run(programs.kind(), "load", "docker-image", *wanted, "--name", NAME)


def _id_of(image: str) -> str:
    return output_of("docker", "image", "inspect", "-f", "{{.Id}}", image)
