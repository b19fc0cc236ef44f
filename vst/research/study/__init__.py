"""Studies: methods compared on a user's own files, and videos rated by eye."""
