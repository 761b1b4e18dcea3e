"""What users write and read: pydantic models of every resource, the only source of crds/."""
