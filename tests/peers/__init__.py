"""Programs of others that the tests and the bench use as clients and as peers; fetched from their registries into the cache."""
