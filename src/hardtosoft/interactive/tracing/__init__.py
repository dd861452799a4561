"""Figures that a page computes: what a figure function does with tensors, recorded once for the page to repeat."""
