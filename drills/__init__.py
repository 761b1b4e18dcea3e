"""The drills: everything around a model in service is broken on purpose, under load, and nobody may notice."""
