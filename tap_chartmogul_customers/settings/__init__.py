"""What can be set, where it is read, and what is wrong with it."""
