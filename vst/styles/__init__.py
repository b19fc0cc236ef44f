"""From a style argument to a style: library, resolution, map."""
