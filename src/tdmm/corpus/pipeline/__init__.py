"""Stages of a corpus, run once per clip whatever crashes."""
