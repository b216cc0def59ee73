"""What every stand-in plugin is built on. This file imports nothing, so that a plugin starts fast.

A plugin is a `toolchain/plugins/<name>/__main__.py`:

    from toolchain.plugins.common.lifetime import end_with_parent

    end_with_parent()  # before the imports that take time

    official = Official.of("<name>")
    serve(official.version, provider)

`provider` is any `pulumi.provider.experimental.provider.Provider`. `common.provider.StandIn` is one that needs only a table and
a few methods a resource type, for plugins as plain as random.
"""
