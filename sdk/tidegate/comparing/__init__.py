"""Comparing: what changed from one version of a model to another."""
