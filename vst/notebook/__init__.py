"""Display in Jupyter notebooks."""
