"""Supastack: the stack's settings, its services as data, the targets that place them, and the components made of both."""
