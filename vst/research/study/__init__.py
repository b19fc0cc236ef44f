"""Studies: methods tried against each other on a user's own files, and videos rated by eye."""
