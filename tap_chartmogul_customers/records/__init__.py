"""What a record is: its columns, and how the API's values become theirs."""
