// Package netboot serves files of the host to targets that boot over a network: HTTP and TFTP, read only.
//
// There is one service of a kind on a host, because boot loaders know one port; it serves a folder for each lease. The
// first name in an address is a secret of its lease, 128 random bits: who does not know it reads nothing. Nothing
// outside of the folder can be read, and no link leads out of it.
package netboot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gantry-ci/gantry/runner/journal"
	"github.com/gantry-ci/gantry/runner/plan"
)

// The services implement what a plan asks its host for.
var (
	_ plan.Service = (*HTTP)(nil)
	_ plan.Service = (*TFTP)(nil)
)

// UndoFolder is the kind of what outlives the process: a folder, by its path.
const UndoFolder = "netboot-folder"

// Undoers is how a process that did not make a share takes it back.
func Undoers() journal.Undoers {
	return journal.Undoers{
		UndoFolder: func(_ context.Context, dir string) error { return os.RemoveAll(dir) },
	}
}

// Options are where a service listens.
type Options struct {
	Listen string // host:port; port 0 is any
	Host   string // what targets call this host, where that is not the host of Listen
	Logger *slog.Logger
}

// maxRequests is how many requests a service answers at a time: each board of a large lab has one or two.
const maxRequests = 256

// address is the root of a service's addresses.
func (o *Options) address(scheme string, listening net.Addr) (*url.URL, error) {
	host, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return nil, err
	}
	if o.Host != "" {
		host = o.Host
	} else if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		return nil, fmt.Errorf("no target reaches the address %s: say what targets call this host", host)
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/"}, nil
}

// serve makes a folder, and an address below root for it.
func (s *shares) serve(lease, in string, root *url.URL, undo *journal.Journal) (plan.Share, error) {
	dir := filepath.Join(in, root.Scheme+"-"+strings.ToLower(rand.Text())) // not the secret: paths are in logs
	if err := undo.Before(UndoFolder, dir); err != nil {
		return plan.Share{}, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return plan.Share{}, err
	}
	folder, err := os.OpenRoot(dir)
	if err != nil {
		return plan.Share{}, err
	}
	secret, end, err := s.add(lease, folder)
	if err != nil {
		return plan.Share{}, errors.Join(err, folder.Close())
	}
	undo.Defer(end)
	return plan.Share{Folder: dir, Address: root.JoinPath(secret)}, nil
}
