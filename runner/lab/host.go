package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/netboot"
	"github.com/gantry-ci/gantry/runner/plan"
)

// HostConfig is the section "host": where this host serves files to targets. Without an address a service is not there.
type HostConfig struct {
	HTTP, TFTP string // host:port to listen on
	Address    string // what targets call this host, where that is not the host of HTTP and TFTP
}

// Fields declares the section.
func (h *HostConfig) Fields(f *schema.Fields) {
	f.Optional("http", listenAddress(&h.HTTP), "Serve files to targets by HTTP on this address and port.")
	f.Optional("tftp", listenAddress(&h.TFTP), "The same by TFTP; most boot loaders expect port 69.")
	f.Optional(
		"address", hostName(&h.Address),
		"This host as targets reach it, an IP address or a name; needed where http or tftp names no address.",
	)
}

// listenAddress is host:port; the host may be empty, for all addresses of the machine.
func listenAddress(dst *string) schema.Type {
	return schema.Parsed(dst, "an address and a port, such as 10.0.0.1:8080", func(s string) (string, error) {
		_, port, err := net.SplitHostPort(s)
		if err != nil {
			return "", err
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", fmt.Errorf("port %q is not a number from 0 to 65535", port)
		}
		return s, nil
	})
}

// hostName is an address of this host, without a port: that is the service's.
func hostName(dst *string) schema.Type {
	name := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	return schema.Parsed(dst, "an IP address or a host name", func(s string) (string, error) {
		ip := net.ParseIP(s)
		if ip != nil && ip.IsUnspecified() {
			return "", fmt.Errorf("no target reaches the address %s", s)
		}
		if ip == nil && !name.MatchString(s) {
			return "", fmt.Errorf("%q is no IP address or host name", s)
		}
		return s, nil
	})
}

// Planned are the services as a plan that is not run needs them: nothing listens.
func (h *HostConfig) Planned() plan.Host {
	var host plan.Host
	if h.HTTP != "" {
		host.HTTP = planned{}
	}
	if h.TFTP != "" {
		host.TFTP = planned{}
	}
	return host
}

// planned is a service that does not listen.
type planned struct{}

func (planned) Serve(context.Context, string, string, *journal.Journal) (plan.Share, error) {
	return plan.Share{}, results.Failf(results.ClassBug, "serve a folder: the service was opened for a plan only")
}

// Listen opens the services; end closes them, and waits for their requests. Its error names the key.
func (h *HostConfig) Listen(ctx context.Context, logger *slog.Logger) (host plan.Host, end func() error, err error) {
	var closers []func() error
	end = func() error {
		var err error
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	o := netboot.Options{Host: h.Address, Logger: logger}
	if o.Listen = h.HTTP; o.Listen != "" {
		s, err := netboot.ListenHTTP(ctx, o)
		if err != nil {
			return plan.Host{}, nil, fmt.Errorf("host.http: %w", err)
		}
		host.HTTP, closers = s, append(closers, s.Close)
	}
	if o.Listen = h.TFTP; o.Listen != "" {
		s, err := netboot.ListenTFTP(ctx, o)
		if err != nil {
			return plan.Host{}, nil, errors.Join(fmt.Errorf("host.tftp: %w", err), end())
		}
		host.TFTP, closers = s, append(closers, s.Close)
	}
	return host, end, nil
}
