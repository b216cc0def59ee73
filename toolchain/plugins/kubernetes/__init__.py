"""A stand-in for the official Pulumi kubernetes plugin, for machines where that can't be downloaded.

It follows pulumi-kubernetes 4.34.2 (pulumi/pulumi-kubernetes, provider/pkg) for the kinds in `kinds.py` and for custom resources. A
kind, a setting or a feature that it does not know is refused by name: Patch and List types, Helm charts, kustomize and YAML components,
functions, CustomResourceDefinitions, client-side apply, generateName, and the settings in `settings.py`.

Where it goes another way, none of which shows in the state:

- A field that the API does not know is refused by name; the official one drops it without a word.
- A Service that has endpoints is ready at once, not ten seconds later, and one without a selector is not waited for.
- A wait ends early where no time helps: an image that is never pulled, a Pod that failed, a health check of Supastack's that refuses.
- What a workload lacks is told from its pods, their ReplicaSet, their events and their logs.
- A preview without a cluster says so.
- Of proxies only the kubeconfig's `proxy-url` counts, not the environment's.
- Secrets are blanked out of every message, those of other resources too.
"""
