"""Asks a Redis or Valkey server."""

from collections.abc import Mapping
from typing import Any

from components.verification import network
from components.verification.wrong import Wrong


def ask(endpoint: Mapping[str, Any]) -> None:
    """Logs in and has it answer a PING.

    Args:
        endpoint: `host`, `port`, `user` and `password` (or None), `number` of the database (or None), `tls`, `ca` (a file or None),
            `password_setting`, `user_setting`, `password_fix`, `anonymous_fix` for one that asks for a password and was given none,
            and `tls_fix` for one that may speak TLS and was asked in the clear.

    Raises:
        Wrong: it does not answer as it must.
    """
    import redis

    host, port, tls, ca = endpoint["host"], endpoint["port"], endpoint["tls"], endpoint["ca"]
    network.reach(host, port, ca=ca, tls=tls)
    verified: dict[str, Any] = {
        "ssl": True,
        "ssl_ca_certs": network.trusted(ca),
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
    }
    client = redis.Redis(
        host=host,
        port=port,
        db=int(endpoint["number"] or 0),
        username=endpoint["user"],
        password=endpoint["password"],
        protocol=2,  # what every such server speaks
        socket_timeout=network.WITHIN,
        socket_connect_timeout=network.WITHIN,
        **(verified if tls else {}),
    )
    try:
        client.ping()
    except redis.exceptions.AuthenticationError:
        if endpoint["password"] is None:
            raise Wrong("it asks for a password", endpoint["anonymous_fix"], endpoint["user_setting"]) from None
        raise _refused(endpoint) from None
    except redis.exceptions.ResponseError as error:
        said = str(error)
        if said.startswith(("WRONGPASS", "NOAUTH")) or "AUTH" in said:
            raise _refused(endpoint) from None
        raise Wrong(f"it answered: {said}", "mend what it says") from None
    except redis.exceptions.TimeoutError:
        raise network.why(TimeoutError(), ca) from None
    except redis.exceptions.ConnectionError:
        # It listens: what hangs up on a plain word speaks TLS, or no Redis at all.
        fix = "see that this is the cache's port" + ("" if tls else f", and {endpoint['tls_fix']}")
        raise Wrong("it hangs up without an answer", fix) from None
    finally:
        client.close()


def _refused(endpoint: Mapping[str, Any]) -> Wrong:
    whose = f"the password of {endpoint['user']}" if endpoint["user"] else "the password"
    return Wrong(f"{whose} is wrong", f"give it anew: {endpoint['password_fix']}", endpoint["password_setting"])
