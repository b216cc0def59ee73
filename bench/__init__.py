"""Figures: what a stack costs on this machine. `make bench` prints them; docs/figures.md says how to read them."""
