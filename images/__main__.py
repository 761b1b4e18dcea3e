"""Builds the images whose inputs have changed: `python3 -m images`.

An image's tag is a digest of all that goes into it, so a changed source is a new tag and an unchanged one builds
nothing. The names are written to `images.env` in the cache.
"""

import hashlib
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import cache, host
from cluster.registry import forget_older, is_here
from cluster.steps import Step, ending_in_one_sentence, output_of, say, step

from images import bases, contexts

HERE = Path(__file__).parent
LOCKS = cache.REPOSITORY / "locks"
SDK = cache.REPOSITORY / "sdk/tidegate"
OPERATOR = cache.REPOSITORY / "operator/tidegate_operator"
SERVING = cache.REPOSITORY / "serving/tidegate_serving"
GATES = cache.REPOSITORY / "serving/tidegate_gates"
VERSION = tomllib.loads((cache.REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


@dataclass(frozen=True, slots=True)
class Image:
    """What goes into an image, and how its build context is filled."""

    name: str
    dockerfile: Path
    """Its stage of the image's name is built."""
    inputs: tuple[Path, ...]
    base: bases.Base | None
    fill: Callable[[Step, Path, str], None]
    """Given the running step, the folder to fill and the name of the base image."""


def _python_image(name: str, *sources: Path) -> Image:
    lock = LOCKS / f"{name}.txt"

    def fill(this: Step, context: Path, base: str) -> None:
        contexts.fill_python(this, context, base=base, lock=lock, sources=sources)

    return Image(name, HERE / "python/Dockerfile", (lock, *sources), bases.PYTHON, fill)


def _router_image() -> Image:
    lock = LOCKS / "router.txt"

    def fill(this: Step, context: Path, _base: str) -> None:
        contexts.fill_router(this, context, lock)

    inputs = (lock, contexts.DRAIN_SOURCE)
    return Image("router", HERE / "router/Dockerfile", inputs, bases.GLIBC, fill)


def _store_image() -> Image:
    def fill(_this: Step, context: Path, _base: str) -> None:
        contexts.fill_store(context)

    return Image("store", HERE / "store/Dockerfile", (contexts.STORE_SOURCE,), None, fill)


IMAGES = (
    _python_image("operator", SDK, OPERATOR),
    _python_image("predictor", SDK, SERVING, GATES),
    _router_image(),
    _store_image(),
)


def main(arguments: Sequence[str]) -> None:
    """Builds those named, or all, and writes down what each is called."""
    host.ensure_docker()
    built = cache.read_env(cache.IMAGES_ENV)
    for image in IMAGES:
        if not arguments or image.name in arguments:
            built[f"TIDEGATE_{image.name.upper()}_IMAGE"] = _ensure(image)
    cache.write_env(cache.IMAGES_ENV, built)


def _ensure(image: Image) -> str:
    base = bases.prepare(image.base) if image.base else "scratch"
    recipe = (image.dockerfile, HERE / "contexts.py")
    contents = f"{cache.digest_of(*recipe, *image.inputs)} on {base}"
    reference = f"tidegate/{image.name}:{hashlib.sha256(contents.encode()).hexdigest()[:12]}"
    if not is_here(reference):
        _build(image, base, reference)
        forget_older(reference)
    return reference


def _build(image: Image, base: str, reference: str) -> None:
    with step(f"image {image.name}", limit_seconds=1200) as this:
        context = cache.ROOT / "contexts" / image.name
        cache.discard(context)
        context.mkdir(parents=True)
        image.fill(this, context, base)
        arguments = (
            f"--build-arg=BASE={base}",
            f"--build-arg=VERSION={VERSION}",
            f"--target={image.name}",
            f"--tag={reference}",
            f"--file={image.dockerfile}",
        )
        this.run("docker", "build", *arguments, context, env=_builder())
        cache.discard(context)
    size = int(output_of("docker", "image", "inspect", "-f", "{{.Size}}", reference))
    say(f"{reference} is {size / 10**6:.0f} MB")


def _builder() -> dict[str, str]:
    """BuildKit where its client plugin is installed; the engine's own builder, which suffices, elsewhere."""
    has_buildkit = "buildx" in output_of("docker", "info", "-f", "{{json .ClientInfo.Plugins}}")
    return {**os.environ, "DOCKER_BUILDKIT": "1" if has_buildkit else "0"}


ending_in_one_sentence(main)
