"""Motion to tokens and back: the geometry autoencoder and its quantizers."""
