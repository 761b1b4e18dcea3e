"""Sealing: who vouches for a bundle. A seal is an OpenSSF model signature, kept as `model.sig`."""
