"""What a data scientist imports and runs: bundles, and the contracts that server and operator share."""
