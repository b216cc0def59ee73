"""A stand-in for the official Pulumi plugin random 4.21.4, which bridges Terraform's random provider 3.

Sources of what it follows: hashicorp/terraform-provider-random (internal/provider/*.go, internal/random/string.go; commits
04572027 and 0117aa60) and pulumi/pulumi-random (provider/resources.go at 07bdbf2a, and the calls recorded in
provider/testdata/recorded/TestProviderUpgrade).

Where it differs, on purpose:
- The id of a RandomBytes is "none", Terraform's own. The official plugin's is the bytes in base64 (resources.go,
  computeRandomBytesID), in clear in the state, since ids can't be secret.
- RandomId's outputs are secret where its prefix is.
- Inputs at which the official plugin breaks down are refused: negative minimums, an id of no bytes, nothing to draw characters
  from, special characters outside ASCII.
"""
