"""What asks the API: the session and its time-out, what is tried again and when."""
