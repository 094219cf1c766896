"""What a face is: channels, actions, the head's geometry."""
