"""What a sync is: where it stands, how it is kept, how it is read."""
