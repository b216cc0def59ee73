"""`make smoke`: a stack that was deployed, asked as its users ask it, by its outputs alone."""
