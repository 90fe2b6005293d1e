"""What stands in for a service that cannot be had here."""
