"""The command line of the cluster: `python3 -m cluster up | delete | load-images [IMAGE …] | forget`."""

from collections.abc import Sequence

from cluster import cache, kind, registry
from cluster.load import load_images
from cluster.steps import Refusal, ending_in_one_sentence


def main(arguments: Sequence[str]) -> None:
    """Runs one command; `load-images` without names loads all that `make images` built."""
    match list(arguments):
        case ["up"]:
            kind.up()
        case ["delete"]:
            kind.delete()
        case ["load-images", *images]:
            load_images(images or list(cache.read_env(cache.IMAGES_ENV).values()))
        case ["forget"]:
            registry.forget_our_images()
            cache.forget()
        case _:
            raise Refusal(f"Not a command: {' '.join(arguments) or '(nothing)'}. {__doc__}")


ending_in_one_sentence(main)
