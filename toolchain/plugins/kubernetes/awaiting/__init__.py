"""Waiting until an object does what it is for, and saying why when it does not."""

from .wait import NotReady, await_ready, is_ready_now

__all__ = ["NotReady", "await_ready", "is_ready_now"]
