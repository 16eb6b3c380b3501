package plan

import (
	"context"
	"net/url"

	"github.com/gantry-ci/gantry/runner/journal"
)

// Host is what the runner's host serves to targets: each nil where it does not. A method asks for one with NeedHTTP or
// NeedTFTP, as it asks for a capability of the target.
type Host struct{ HTTP, TFTP Service }

// Service is one protocol by which targets read files of the host. It may be called from several goroutines.
type Service interface {
	// Serve makes a folder in dir, which is the attempt's, and serves what the caller puts there, until the journal's
	// undo takes it back: then requests of it that still run are cut off. Lease is for the log.
	Serve(ctx context.Context, lease, dir string, undo *journal.Journal) (Share, error)
}

// Share is a folder being served. Its address is what a target calls it, with the host as the target reaches it:
// http://10.0.0.1:8080/SECRET, tftp://10.0.0.1:69/SECRET, nfs://10.0.0.1:2049/SECRET. A file of the folder is
// below it; an NBD export is such a file.
type Share struct {
	Folder  string
	Address *url.URL
}

// NeedHTTP returns the host's HTTP service, and refuses the plan where there is none.
func NeedHTTP(b *Builder) Service { return needService(b, "HTTP", "http", b.Host.HTTP) }

// NeedTFTP returns the host's TFTP service, and refuses the plan where there is none.
func NeedTFTP(b *Builder) Service { return needService(b, "TFTP", "tftp", b.Host.TFTP) }

// needService is Need for the host; the error names what to configure.
func needService(b *Builder, protocol, key string, s Service) Service {
	if s == nil {
		b.Errorf(
			"needs files served by %s, and this host serves none: set host.%s in the runner's configuration, or --host-%s",
			protocol, key, key,
		)
	}
	return s
}
