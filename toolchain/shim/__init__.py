"""The `pulumi` of an activated shell: the real engine, with this clone's environment, state and private stack config."""
