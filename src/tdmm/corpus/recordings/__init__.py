"""Recordings of anybody: what is listed, how it is labelled, and how it is cut to clips."""
