"""Masks: where a style goes. One file each."""
