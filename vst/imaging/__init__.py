"""Pixels: compositing, color, optical flow."""
