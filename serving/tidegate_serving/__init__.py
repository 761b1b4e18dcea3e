"""The predictor: one process that serves one bundle over HTTP."""
