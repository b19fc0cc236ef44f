"""Measures of painted videos. One file each."""
