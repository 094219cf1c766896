"""Tokens to text and text to tokens."""
