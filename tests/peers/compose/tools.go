//go:build tools

// Package tools pins docker compose, the peer that the bench measures against.
package tools

import _ "github.com/docker/compose/v2/cmd"
