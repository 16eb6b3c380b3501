package jobs

import "github.com/gantry-ci/gantry/internal/schema"

// Protocols are what the parts of a job talk by.
type Protocols struct {
	Multinode *schema.Node
	XNBD      *schema.Node
	VLAN      *schema.Node
}
