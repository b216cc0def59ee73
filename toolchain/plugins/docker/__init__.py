"""A stand-in for the official Pulumi docker plugin, for machines where that can't be downloaded.

It follows pulumi-docker 5.2.0, which bridges terraform-provider-docker (kreuzwerker) v4.5.0, for Network, Volume, RemoteImage
and Container. A type or a field that it does not know is refused by name.

One thing it does that the official one does not: it ends the wait for a container of Supastack's whose health check says that waiting
can't help.
"""
