"""Pure functions: what is → what should be."""
