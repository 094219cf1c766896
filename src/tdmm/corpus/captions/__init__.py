"""What a clip shows, in words."""
