"""The locked requirements of each image and of this checkout: versions and hashes, no index addresses."""
