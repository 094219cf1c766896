"""Which clips are good enough, and which are there already."""
