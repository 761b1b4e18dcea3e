"""The commands, each a thin face on what the SDK and the predictor do."""
