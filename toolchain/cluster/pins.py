"""Versions of what a test cluster is made of, where no go.mod under toolchain/cluster/programs says it."""

KUBERNETES = "1.34.4"
"""programs/kubernetes/go.mod requires the same; it is what the programs say of themselves."""

PAUSE_IMAGE = "supastack.local/pause:1"
COREDNS_IMAGE = "supastack.local/coredns:1.14"
"""Of the version that programs/coredns/go.mod requires."""

GATEWAY_API = ("sigs.k8s.io/gateway-api", "v1.6.3", "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=")
CERT_MANAGER = ("github.com/cert-manager/cert-manager", "v1.21.2", "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=")
"""Modules whose CRD files are used: path, version, Go's checksum from the Go checksum database."""

CNPG = "1.30.0"
"""programs/cnpg/go.mod requires the same."""
CNPG_IMAGE = "supastack.local/cloudnative-pg:1.30"
CNPG_OPERAND_IMAGE = "supastack.local/cnpg-postgres:17"
