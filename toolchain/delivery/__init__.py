"""Branches, previews of pull requests, and what the workflows in `.github/workflows/` run. docs/delivery.md tells of it."""
