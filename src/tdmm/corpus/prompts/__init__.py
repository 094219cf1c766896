"""Words for video models: what a face does, and how it is filmed."""
