"""The steps that a clip goes through, as a pipeline runs them."""
