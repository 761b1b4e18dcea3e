"""From a fitted model and a sample of its data to a bundle; imported only by those who package."""
