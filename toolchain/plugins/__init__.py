"""Stand-ins for official Pulumi provider plugins, for machines where those can't be downloaded."""
