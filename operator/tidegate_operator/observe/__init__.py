"""Reads: what the watches saw, what routers and predictors counted."""
