package cli

import "github.com/gantry-ci/gantry/runner/lab"

// hostFlags are what this host serves to targets: the section host of a runner's configuration, for a job of one's own.
type hostFlags struct {
	HostHTTP    string `name:"host-http" placeholder:"ADDR:PORT" help:"The host serves files to targets by HTTP here."`
	HostTFTP    string `name:"host-tftp" placeholder:"ADDR:PORT" help:"The host serves files to targets by TFTP here."`
	HostAddress string `name:"host-address" placeholder:"HOST" help:"What targets call this host, if it is not ADDR."`
}

func (f *hostFlags) config() *lab.HostConfig {
	return &lab.HostConfig{HTTP: f.HostHTTP, TFTP: f.HostTFTP, Address: f.HostAddress}
}
