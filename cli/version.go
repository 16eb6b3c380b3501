package cli

import "runtime/debug"

// devVersion is the version of a build that is no release.
const devVersion = "v0.1.0-dev"

// version is the version of this build. App and runner one minor version apart work together.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return devVersion
	}
	return info.Main.Version
}
