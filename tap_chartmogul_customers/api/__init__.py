"""How the account is read, page after page. Nothing here knows of Singer's messages."""
