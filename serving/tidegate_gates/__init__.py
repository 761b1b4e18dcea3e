"""The gates: what a candidate has to show before any user meets it."""
