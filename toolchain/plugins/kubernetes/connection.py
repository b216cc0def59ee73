"""The way to the cluster that the provider's settings name; tried once, when it is first needed."""

import threading

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.values import UNKNOWN

from . import kubeconfig
from .client import ApiError, Client
from .cluster import Cluster
from .kubeconfig import Access
from .settings import Settings


class Connection:
    """The cluster, or why it can't be reached."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._cluster: Cluster | None = None
        self._reason: str | None = None
        self._warned = False

    @property
    def is_unknown(self) -> bool:
        """Whether this is a preview in which the cluster is yet to be made."""
        return UNKNOWN in (self.settings.kubeconfig, self.settings.context, self.settings.cluster)

    def cluster(self) -> Cluster | None:
        """The cluster, or None when it can't be reached; `reason` says why."""
        with self._lock:
            if self._cluster is None and self._reason is None:
                self._connect()
            return self._cluster

    @property
    def reason(self) -> str:
        """Why the cluster can't be reached; empty when it can, or was not tried."""
        return self._reason or ""

    def default_namespace(self) -> str:
        """Where objects go that name no namespace: the setting's, else the kubeconfig context's; empty where none can be told."""
        if self.settings.namespace and self.settings.namespace != UNKNOWN:
            return self.settings.namespace
        with self._lock:
            try:
                return "" if self.is_unknown else self._read().namespace
            except UserError:
                return ""

    def warn_once(self) -> str:
        """The reason, the first time that it is asked for; empty after that."""
        with self._lock:
            if self._warned or self.is_unknown:
                return ""
            self._warned = True
            return self.reason

    def _read(self) -> Access:
        if self._access is None:
            given = self.settings.kubeconfig or kubeconfig.default_path()
            if not given:
                raise UserError("there is no kubeconfig: give the provider one, or set KUBECONFIG")
            self._access = kubeconfig.access(given, self.settings.context, self.settings.cluster)
        return self._access

    def _connect(self) -> None:
        if self.is_unknown:
            self._reason = "its kubeconfig is not known yet"
            return
        try:
            cluster = Cluster(Client(self._read()))
            cluster.version()
        except (ApiError, UserError) as error:
            self._reason = str(error)
            return
        except (OSError, ValueError) as error:
            # A broken certificate or key; the message of the library may quote it.
            self._reason = f"the kubeconfig's certificates or address can't be used: {type(error).__name__}"
            return
        self._cluster = cluster
