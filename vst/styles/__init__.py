"""Styles: the library of named ones, resolution of style arguments, and maps of a style space."""
