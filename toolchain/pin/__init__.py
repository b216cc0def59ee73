"""`make pin`: the digests of a stack's images, from their registries into the stack's file."""
