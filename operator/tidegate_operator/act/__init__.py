"""Writes: objects, status, events."""
