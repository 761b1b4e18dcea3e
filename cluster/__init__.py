"""A real Kubernetes to run on, made by kind from a published node image or from one built here.

It runs before any virtual environment exists, hence the standard library alone.
"""
