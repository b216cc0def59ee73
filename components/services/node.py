"""Health checks by commands that are Node.js programs."""

from components.service import Health


def health(*command: str, start_period: int, timeout: int = 10) -> Health:
    """A health check whose command starts a Node.js process: a good part of a second's work of a core, and some 50 MB for a moment.

    So it is run every half a minute, and three failures tell that the service is not well. Chosen by us. Nothing waits for that at the
    start: whoever waits asks by himself. The time is to be longer than such a service takes to start on a small machine, since three
    failures are soon counted.
    """
    return Health(command, interval=30, timeout=timeout, retries=3, start_period=start_period)
