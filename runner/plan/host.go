package plan

import "github.com/gantry-ci/gantry/runner/netboot"

// Host is what the runner's host serves to targets: each nil where it does not. A method asks for one with Need, as for
// a capability of the target.
type Host struct {
	HTTP, TFTP, NFS, NBD netboot.Service
}
