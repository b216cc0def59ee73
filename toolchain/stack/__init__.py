"""A stack's life: its private config, up, preview, status, down and purge, and what is done before and after each."""
