"""Measuring painted videos."""
