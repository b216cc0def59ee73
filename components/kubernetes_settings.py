"""Settings of the Kubernetes target."""

from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import kubernetes_values as kube
from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Setting, size
from components.supabase_settings.override import service_name


class Profile(str, Enum):
    """How much each service is given."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Exposure(str, Enum):
    """How the gateway is reached from outside the cluster."""

    GATEWAY = "gateway"
    """An HTTPRoute of the Gateway API at a Gateway that is there."""
    INGRESS = "ingress"
    LOADBALANCER = "loadbalancer"
    NONE = "none"
    """Not at all: `make forward` opens local ports."""


class PodSecurity(str, Enum):
    """Pod Security level that the namespace enforces."""

    AUTO = "auto"
    RESTRICTED = "restricted"
    BASELINE = "baseline"


@declared
class GatewayReference(TypedDict):
    """The Gateway of the Gateway API that the route is attached to. It is the platform's, not the stack's."""

    name: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Its name."""
    namespace: NotRequired[Annotated[str, Setting(check=kube.label)]]
    """Its namespace. Unset: the stack's own."""
    section: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Name of its listener. Unset: every one that takes the route."""


@declared
class ExposureSettings(TypedDict):
    """How clients outside the cluster reach the gateway, the only service that they reach."""

    kind: NotRequired[Annotated[Exposure, Setting(default="none")]]
    """`gateway`, `ingress`, `loadbalancer` or `none`. All but `none` need `host` or `baseDomain`."""
    host: NotRequired[Annotated[str, Setting(check=kube.dns_name)]]
    """Public host name. Unset: `<project ref>.<baseDomain>`."""
    baseDomain: NotRequired[Annotated[str, Setting(check=kube.dns_name)]]
    """Domain under which each stack has the name of its project reference."""
    gateway: NotRequired[GatewayReference]
    """The Gateway, for `gateway`."""
    className: NotRequired[Annotated[str, Setting(check=kube.class_name)]]
    """Class of the ingress, or of the load balancer. An ingress needs it."""
    tlsSecret: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Name of the Secret with the certificate, for `ingress`. With a Gateway, TLS is the Gateway's."""
    issuer: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """ClusterIssuer of cert-manager that writes `tlsSecret`. Unset: somebody else does."""
    annotations: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=kube.annotation, check=values.line_of_text)]]
    """Annotations of the route, the ingress or the load balancer's Service, in its controller's own words."""


@declared
class Autoscaling(TypedDict):
    """A HorizontalPodAutoscaler of one service."""

    minReplicas: NotRequired[Annotated[int, Setting(default=2, minimum=1, maximum=100)]]
    """At least so many pods."""
    maxReplicas: NotRequired[Annotated[int, Setting(default=4, minimum=1, maximum=1000)]]
    """At most so many."""
    cpuPercent: NotRequired[Annotated[int, Setting(default=70, unit="percent", minimum=10, maximum=100)]]
    """Share of the requested CPU at which there is one more."""


@declared
class PodResources(TypedDict):
    """What the pods of one service are given, in place of the profile's."""

    cpuRequest: NotRequired[Annotated[str, Setting(check=kube.cpu)]]
    """CPU that is set aside, as in "250m"."""
    cpuLimit: NotRequired[Annotated[str, Setting(check=kube.cpu)]]
    """The most CPU."""
    memoryRequest: NotRequired[Annotated[str, size(minimum="8mb")]]
    """Memory that is set aside."""
    memoryLimit: NotRequired[Annotated[str, size(minimum="16mb")]]
    """The most memory; a pod is ended above it."""


@declared
class EgressRule(TypedDict):
    """Where a service may connect to outside the cluster."""

    cidrs: NotRequired[Annotated[list[str], Setting(default=["0.0.0.0/0"], minimum=1, maximum=100, check=kube.cidr)]]
    """Networks. Of "0.0.0.0/0" the private ranges are left out, unless one of them is named beside it, or a setting names the host."""
    excepted: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=100, check=kube.cidr)]]
    """Networks inside those that are shut nevertheless."""
    ports: NotRequired[Annotated[list[Annotated[int, Setting(minimum=1, maximum=65535)]], Setting(minimum=1, maximum=20)]]
    """TCP ports. Unset: those that the settings name for the purpose, as that of the mail server, else 443."""


@declared
class DnsSettings(TypedDict):
    """What answers names in the cluster, which every pod that connects to anything must reach (ports 53 and 5353)."""

    # The address is where node-local caches listen by default (Kubernetes' documentation, "Using NodeLocal DNSCache").
    namespaces: NotRequired[Annotated[list[str], Setting(default=["kube-system"], minimum=0, maximum=20, check=kube.label)]]
    """Namespaces of its pods. OpenShift's: `openshift-dns`."""
    cidrs: NotRequired[Annotated[list[str], Setting(default=["169.254.20.10/32"], minimum=0, maximum=20, check=kube.cidr)]]
    """Networks of resolvers that are no pods of a pod network: caches of the nodes, a cloud's own resolver."""


@declared
class NetworkPolicySettings(TypedDict):
    """NetworkPolicies: nothing in, nothing out, then exactly the edges of the stack."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether there are any. A cluster whose network plugin enforces none takes no notice of them."""
    clientNamespaces: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=100, check=kube.label)]]
    """Namespaces whose pods may reach the gateway, the database, the pooler, the cache and the object store: the apps'."""
    gatewayNamespaces: NotRequired[Annotated[list[str], Setting(default=[], minimum=0, maximum=100, check=kube.label)]]
    """Namespaces of what brings clients to the gateway (an ingress controller). Empty: from everywhere, if it is exposed."""
    egress: NotRequired[Annotated[dict[str, EgressRule], Setting(default={}, key_check=kube.purpose)]]
    """Where to, by purpose, as `smtp`. Unset: to the internet; where a setting names the host, to that, or anywhere on its port."""
    operatorNamespace: NotRequired[Annotated[str, Setting(default="cnpg-system", check=kube.label)]]
    """Namespace of the CloudNativePG operator, which must reach the database's pods."""
    dns: NotRequired[DnsSettings]
    """What answers names in the cluster."""
    apiPorts: NotRequired[
        Annotated[list[Annotated[int, Setting(minimum=1, maximum=65535)]], Setting(default=[443, 6443], minimum=1, maximum=20)]
    ]
    """Ports of the Kubernetes API, for the pods that talk to it: its Service's and its server's own (minikube 8443, MicroK8s 16443)."""


@declared
class ExistingSecret(TypedDict):
    """Where the value of a secret setting is in the cluster already. Both `name` and `key` are needed."""

    name: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Name of the Secret."""
    key: NotRequired[Annotated[str, Setting(check=kube.secret_key)]]
    """Key in its data."""
    namespace: NotRequired[Annotated[str, Setting(check=kube.label)]]
    """Its namespace. Unset: the stack's own, which is there from the first up on."""


@declared
class ImagePullSecret(TypedDict):
    """The Secret of the cluster with the login of a private registry, of type `kubernetes.io/dockerconfigjson`. Both are needed."""

    name: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """Its name."""
    namespace: NotRequired[Annotated[str, Setting(check=kube.label)]]
    """Its namespace: not the stack's own, which only the stack makes."""


@declared
class KubernetesSettings(TypedDict):
    """The cluster to deploy to, and how. The cluster of the moment, as kubectl has it, is never taken."""

    kubeconfig: NotRequired[Annotated[str, Setting(check=kube.path)]]
    """Path of the kubeconfig file; a relative one starts at the project's folder. Needed, unless `KUBECONFIG` names one file."""
    context: NotRequired[Annotated[str, Setting(check=values.line_of_text)]]
    """Context in it. Needed."""
    namespace: NotRequired[Annotated[str, Setting(check=kube.label)]]
    """Namespace to make. Unset: `<project>-<stack>`. A change moves everything: the data stays behind in the old one."""
    podSecurity: NotRequired[Annotated[PodSecurity, Setting(default="auto")]]
    """Level that the namespace enforces. `auto`: restricted where all pods allow it, else baseline, and the preview says which do not."""
    profile: NotRequired[Annotated[Profile, Setting(default="small")]]
    """How much each service is given."""
    resources: NotRequired[Annotated[dict[str, PodResources], Setting(default={}, key_check=kube.any_service)]]
    """What one service is given instead, by its name."""
    replicas: NotRequired[
        Annotated[dict[str, Annotated[int, Setting(minimum=1, maximum=100)]], Setting(default={}, key_check=kube.any_service)]
    ]
    """Pods of a service, by its name; only of those that can be more than one. Unset: 1."""
    autoscaling: NotRequired[Annotated[dict[str, Autoscaling], Setting(default={}, key_check=service_name)]]
    """HorizontalPodAutoscalers, by service; only of those that can be more than one."""
    storageClass: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """StorageClass of all claims that are made from then on; one that is there keeps its own. Unset: the cluster's default."""
    volumeSizes: NotRequired[
        Annotated[dict[str, Annotated[str, size(minimum="1mb")]], Setting(default={}, key_check=kube.any_service)]
    ]
    """Size of a service's claim; how a smaller one that is there is enlarged is said. Unset: 8gb; 1gb for the cache and Studio."""
    dataPriorityClass: NotRequired[Annotated[str, Setting(check=kube.object_name)]]
    """PriorityClass of what keeps data, so that it is evicted last. Unset: none."""
    exposure: NotRequired[ExposureSettings]
    """How clients outside the cluster reach the gateway."""
    networkPolicy: NotRequired[NetworkPolicySettings]
    """NetworkPolicies."""
    imagePullSecret: NotRequired[ImagePullSecret]
    """Secret that images are pulled with: read at every preview and up, and copied to where the pods are. Unset: none."""
    existingSecrets: NotRequired[Annotated[dict[str, ExistingSecret], Setting(default={}, key_check=kube.secret_setting)]]
    """Secret settings whose value is in a Secret of the cluster, by name, as `smtpPassword`: read at every preview and up."""
    render: NotRequired[Annotated[str, Setting(check=kube.path)]]
    """Folder that the manifests are also written to, without secrets, for whoever applies them by other means. Unset: none."""
