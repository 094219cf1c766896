"""Motion to events: what a face did, read by rules from its channels, with no learned weights."""
