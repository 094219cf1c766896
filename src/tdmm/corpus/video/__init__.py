"""Text to video: generators of clips behind one protocol."""
