"""The mail catcher (Mailpit): takes all mails, sends none on.

It is our choice, as the Supabase CLI's; upstream's own set has none, and Inbucket in its dev override. Ports, variables and the
check are those of axllent/mailpit v1.22.3 (cmd/root.go, config/config.go, Dockerfile): POP3 is served only with a login, and mails are
kept in a database in /tmp, so they go with the container.
"""

from typing import Final

from components.service import Health, Port, Secret, Service, text
from components.services import secret_names
from components.services.context import Context

SMTP: Final = 1025
WEB: Final = 8025
POP3: Final = 1110


def mail(c: Context) -> Service:
    """The mail catcher (Mailpit)."""
    settings = c.settings["mail"]
    # Without it each mail may wait for a name server that does not know the stack's network (as the CLI sets it).
    env = {"MP_SMTP_DISABLE_RDNS": text("true")}
    ports = [Port("smtp", SMTP, publish="smtp"), Port("web", WEB, publish="mailWeb")]
    if "maxMessages" in settings:
        env["MP_MAX_MESSAGES"] = text(str(settings["maxMessages"]))
    if settings["pop3"]:
        env["MP_POP3_AUTH"] = text(f"{c.settings['studio']['username']}:", Secret(secret_names.DASHBOARD_PASSWORD))
        ports.append(Port("pop3", POP3, publish="pop3"))
    return Service(
        name="mail",
        image=c.release.image_if_any("mail"),
        # At rest we saw 14 MiB; it holds a mail whole while it takes it.
        resources=c.memory("mail", 48),
        env=env,
        ports=tuple(ports),
        health=Health(("/mailpit", "readyz"), interval=2, retries=15, start_period=10),
        provides={"mail": "smtp", "mail-web": "web"},
        optional=True,
    )
