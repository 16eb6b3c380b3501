package cli

import "runtime/debug"

// devVersion is that of a build that nobody released.
const devVersion = "v0.1.0-dev"

// version is that of this build: app and runner one minor version apart work together.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return devVersion
	}
	return info.Main.Version
}
