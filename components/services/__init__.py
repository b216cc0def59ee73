"""One module a service; each returns a `components.service.Service` and imports no provider."""
