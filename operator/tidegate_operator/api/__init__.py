"""The resources as users write them: the only source of `crds/`."""
