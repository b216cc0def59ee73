"""The API gateway: one table of routes (`routes`), and how Envoy and Kong are told of it."""
