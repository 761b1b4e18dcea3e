"""The operator: reconciles ModelDeployments."""
