"""What a motion is: a face through time, its files, and the events in it."""
