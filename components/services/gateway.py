"""The API gateway: the one way to the services from outside. Envoy or Kong, as the release has it."""

from typing import Final
from urllib.parse import urlsplit

from components.gateway import envoy, kong, routes
from components.releases import GatewayKind
from components.service import Edge, File, Health, Port, Secret, Service, Text, text
from components.services import secret_names as names
from components.services.context import Context

NAME: Final = "gateway"
HTTP_PORT: Final = envoy.HTTP_PORT
# What it publishes, whichever program it is.
HTTP: Final = Port("http", HTTP_PORT, publish="api")
HTTPS: Final = Port("https", envoy.HTTPS_PORT, publish="apiHttps")
STUDIO: Final = Port("studio", envoy.STUDIO_PORT, publish="studio")
# Files are placed as root's, and both images leave root; the container has no user but the gateway's.
_MODE: Final = 0o644
_KONG_CONFIG: Final = "/home/kong/kong.yml"
_CERTIFICATE: Final = "/etc/supastack/tls.crt"
_KEY: Final = "/etc/supastack/tls.key"
# Without the query: keys and mails' tokens stand there.
_KONG_LOG: Final = (
    'supastack \'$remote_addr - - [$time_local] "$request_method $uri $server_protocol" $status $body_bytes_sent '
    '"-" "$http_user_agent"\''
)


def gateway(context: Context) -> Service:
    """The gateway."""
    return {GatewayKind.ENVOY: _envoy, GatewayKind.KONG: _kong}[context.release.features.gateway](context)


def _edges(context: Context) -> tuple[Edge, ...]:
    # No gate: a service that is not there yet costs its callers a 503, and the others nothing.
    return tuple(Edge(capability) for capability in routes.upstreams(routes.table(context)))


def _studio_ports(context: Context) -> tuple[Port, ...]:
    return (STUDIO,) if "studio" in context.running else ()


def _envoy(context: Context) -> Service:
    tls = "tlsCertificate" in context.settings["gateway"]
    request = f"GET {envoy.HEALTH_PATH} HTTP/1.1\\r\\nHost: gateway\\r\\nConnection: close\\r\\n\\r\\n"
    # No curl in the image. It asks for an answer: a port takes connections before anything answers there.
    probe = f"exec 3<>/dev/tcp/127.0.0.1/{HTTP_PORT} && printf '{request}' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"
    return Service(
        name=NAME,
        image=context.release.image_if_any("envoy"),
        # Measured with 1.39.1 and two workers: 19 MiB at first, 25 with four large downloads at once, 40 with 1500 open connections.
        resources=context.memory("gateway", 96),
        # By default one worker for each of the machine's cores, with memory of its own. Two: chosen by us.
        command=("envoy", "-c", envoy.CONFIG_PATH, "--concurrency", "2", "--disable-hot-restart", "--log-level", "warning"),
        files=(
            File(envoy.CONFIG_PATH, envoy.configuration(context), _MODE),
            File(envoy.LUA_PATH, envoy.lua(), _MODE),
        ),
        ports=(
            HTTP,
            *((HTTPS,) if tls else ()),
            *_studio_ports(context),
        ),
        health=Health(("bash", "-c", probe), interval=2, timeout=5, retries=15, start_period=5),
        connects=_edges(context),
        provides={"gateway": "http"},
        replicable=True,
    )


def _kong(context: Context) -> Service:
    certificate = context.settings["gateway"].get("tlsCertificate")
    # Kong tells services the port that it listens on, with which Storage would build URLs and check signatures.
    public = urlsplit(context.urls.api)
    published = public.port or {"http": 80, "https": 443}[public.scheme]
    own_https = certificate is not None and "publicUrl" not in context.settings["gateway"]
    own: dict[str, Text] = {}
    files = [File(_KONG_CONFIG, kong.configuration(context), _MODE)]
    if certificate is not None:
        own = {"KONG_SSL_CERT": text(_CERTIFICATE), "KONG_SSL_CERT_KEY": text(_KEY)}
        files += [File(_CERTIFICATE, text(certificate), _MODE), File(_KEY, text(Secret(names.TLS_KEY)), _MODE)]
    return Service(
        name=NAME,
        image=context.release.image_if_any("kong"),
        # Chosen by us: nothing was measured here.
        resources=context.memory("gateway", 512),
        env={
            "KONG_ADMIN_LISTEN": text("off"),
            "KONG_DATABASE": text("off"),
            "KONG_DECLARATIVE_CONFIG": text(_KONG_CONFIG),
            # Upstream's.
            "KONG_DNS_ORDER": text("LAST,A,CNAME"),
            "KONG_NGINX_HTTP_LOG_FORMAT": text(_KONG_LOG),
            "KONG_NGINX_PROXY_PROXY_BUFFERS": text("64 160k"),
            "KONG_NGINX_PROXY_PROXY_BUFFER_SIZE": text("160k"),
            # By default one for each of the machine's cores.
            "KONG_NGINX_WORKER_PROCESSES": text("2"),
            "KONG_PLUGINS": text(",".join(kong.PLUGINS)),
            "KONG_PORT_MAPS": text(f"{published}:{envoy.HTTPS_PORT if own_https else HTTP_PORT}"),
            "KONG_PROXY_ACCESS_LOG": text("/dev/stdout supastack"),
            "KONG_PROXY_LISTEN": text(f"0.0.0.0:{HTTP_PORT}, 0.0.0.0:{envoy.STUDIO_PORT}, 0.0.0.0:{envoy.HTTPS_PORT} ssl"),
            **own,
        },
        files=tuple(files),
        # It renders nginx's configuration into its own folder.
        writable=None,
        # Kong's routes know no port, so Studio's has all of them; the login stands before Studio on each. Without a certificate of the
        # user's, Kong makes one of its own for https, as upstream's stack left it.
        ports=(
            HTTP,
            HTTPS,
            *_studio_ports(context),
        ),
        health=Health(("kong", "health"), interval=5, timeout=5, retries=15, start_period=10),
        connects=_edges(context),
        provides={"gateway": "http"},
        replicable=True,
    )
