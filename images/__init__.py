"""The container images: operator, predictor, router, and the S3-compatible store of demo and tests."""
