"""Targets place services: the only importers of provider SDKs. `placement` says what a target needs to know."""
