"""Training of the networks that the package ships and of those that users make. Called by its
command alone.
"""
