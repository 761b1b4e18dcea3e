"""Traffic: which routes there are, and how the routers learn them."""
