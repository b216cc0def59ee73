"""Rules over what a stack is made of: used by the Pulumi policy pack in this folder, and by `make preview` itself.

Only the standard library is imported, but by `__main__` (the pack), so that the rules run in a pack's environment too.
"""
