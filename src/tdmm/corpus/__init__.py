"""Clips by the thousand: acted, sharded, balanced, resumable."""
