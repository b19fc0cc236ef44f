"""Painting live: a camera, a stream or a pipe in, windows, cameras, pages and pipes out."""
