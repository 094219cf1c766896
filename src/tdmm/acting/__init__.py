"""Script to motion, script to words: no model, exact."""
