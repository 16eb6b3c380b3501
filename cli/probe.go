package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/docker/docker/client"
	"go.bug.st/serial/enumerator"

	"github.com/gantry-ci/gantry/vmhost"
)

type probeCmd struct{}

// probeTimeout is for a Docker daemon that hangs; all other probes are quick.
const probeTimeout = 10 * time.Second

// host is what gantry probe prints.
type host struct {
	vmhost.Host
	Docker docker `json:"docker"`
	Serial ports  `json:"serial"`
}

type docker struct {
	Reachable bool   `json:"reachable"`
	Evidence  string `json:"evidence"`
}

type ports struct {
	Ports []string `json:"ports"`
	Error string   `json:"error,omitempty"`
}

// Run probes each capability, and prints what it found.
func (c *probeCmd) Run(ctx context.Context, e *env) error {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, fmt.Errorf("no answer within %s", probeTimeout))
	defer cancel()
	h := host{Host: vmhost.Probe(ctx, vmhost.Roots{}), Docker: probeDocker(ctx), Serial: probeSerial()}
	if e.json {
		return json.NewEncoder(e.stdout).Encode(h)
	}
	lines := [][2]string{{"kvm", string(h.KVM.Verdict) + ": " + h.KVM.Evidence}}
	for _, q := range h.QEMU {
		lines = append(lines, [2]string{"qemu", q.Binary + " " + q.Version})
	}
	if len(h.QEMU) == 0 {
		lines = append(lines, [2]string{"qemu", "none is installed"})
	}
	lines = append(lines,
		[2]string{"libvirt", h.Libvirt.Evidence}, [2]string{"docker", h.Docker.Evidence},
		[2]string{"memory", fmt.Sprintf("%d MiB, %d available", h.Memory.Total>>20, h.Memory.Available>>20)},
		[2]string{"cpus", fmt.Sprint(h.CPUs)})
	for _, p := range h.Serial.Ports {
		lines = append(lines, [2]string{"serial", p})
	}
	if len(h.Serial.Ports) == 0 {
		lines = append(lines, [2]string{"serial", "no ports " + h.Serial.Error})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(e.stdout, "%-8s %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

func probeDocker(ctx context.Context) docker {
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return docker{Evidence: err.Error()}
	}
	defer func() { _ = c.Close() }()
	v, err := c.ServerVersion(ctx)
	if err != nil {
		return docker{Evidence: err.Error()}
	}
	return docker{
		Reachable: true, Evidence: fmt.Sprintf("%s answers: version %s, API %s", c.DaemonHost(), v.Version, v.APIVersion),
	}
}

func probeSerial() ports {
	found, err := enumerator.GetDetailedPortsList()
	if err != nil {
		return ports{Error: err.Error()}
	}
	var p ports
	for _, f := range found {
		// Ports are not opened: that changes DTR, which resets some boards.
		name := f.Name
		if f.IsUSB {
			name += fmt.Sprintf(" usb %s:%s serial %s", f.VID, f.PID, f.SerialNumber)
		}
		p.Ports = append(p.Ports, name)
	}
	return p
}
