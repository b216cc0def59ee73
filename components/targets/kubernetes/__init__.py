"""Kubernetes: services become workloads in a namespace. `placing.place` is the way in; all else is made as `manifest.Manifest`."""
