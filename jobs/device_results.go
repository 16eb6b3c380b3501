package jobs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// ResultsLogin is how a target is logged in to by ssh, for its file of results. Of the three ways to know its host key,
// exactly one is given.
type ResultsLogin struct {
	Host         string // a name or an address
	Port         int
	User         string
	IdentityFile string // a private key, on the runner's machine
	KnownHosts   string // a file as OpenSSH's
	HostKey      string // the key itself, as in a .pub file
	OwnGuest     bool   // it is not checked: QEMU has the port, and forwards it into the guest
}

// loopback is the only host that a guest's own port is at.
const loopback = "127.0.0.1"

var (
	hostFileRE  = regexp.MustCompile(`^/[^\x00]+$`)
	publicKeyRE = regexp.MustCompile(`^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+=*( [^\n]*)?$`)
	loginRE     = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.@-]{0,63}$`)
	hostRE      = regexp.MustCompile(`^[a-zA-Z0-9:][a-zA-Z0-9:.%_-]{0,252}$`)
)

var (
	errVsock = errors.New(
		"results by vsock are not executed: virtio-serial does the same for every guest, ssh for what has a network",
	)
	errResults = errors.New("expected virtio-serial, or a mapping with ssh")
)

// resultsWay reads how results are sent: a name, or a mapping where it takes more.
func resultsWay(way *string, login **ResultsLogin) schema.Type {
	word := schema.Parsed(way, "virtio-serial, or a mapping with ssh", func(s string) (string, error) {
		switch s {
		case ResultsVirtioSerial:
			return s, nil
		case "vsock":
			return "", errVsock
		}
		return "", errResults
	})
	word = schema.Described(word, func() map[string]any { return map[string]any{"enum": []any{ResultsVirtioSerial}} })
	return schema.Either("virtio-serial, or a mapping with ssh", word,
		schema.Then(schema.Sub(resultsBlock{login}), func() { *way = ResultsSSH }))
}

type resultsBlock struct{ login **ResultsLogin }

func (b resultsBlock) Fields(f *schema.Fields) {
	f.Closed()
	f.Required("ssh", schema.Optionally(b.login), "Results are a file of the target that is followed by ssh.")
}

// Fields declares the login. The names are LAVA's of the deploy method ssh, where it has them.
func (l *ResultsLogin) Fields(f *schema.Fields) {
	l.Host, l.Port, l.User = loopback, 22, "root"
	f.Closed()
	f.Optional("host", schema.Matching(&l.Host, hostRE, "the name or address of a host"), "Where the target's sshd is.")
	f.Optional("port", schema.Number(&l.Port, 1, 65535), "Its port.")
	f.Optional(
		"user", schema.Matching(&l.User, loginRE, "the name of a user"), "Who logs in; he must be able to read root's files.",
	)
	f.Required(
		"identity_file", schema.Matching(&l.IdentityFile, hostFileRE, "an absolute path"),
		"The private key, on the runner's machine, readable by the runner alone.",
	)
	f.Optional(
		"known_hosts", schema.Matching(&l.KnownHosts, hostFileRE, "an absolute path"),
		"A file as OpenSSH's that has the target's host key.",
	)
	f.Optional(
		"host_key", schema.Matching(&l.HostKey, publicKeyRE, "a public key, as in a .pub file"), "The target's host key.",
	)
	f.Optional(
		"own_guest", schema.Flag(&l.OwnGuest),
		"The host key is not checked: the port is one on 127.0.0.1 that the device's own QEMU forwards into the guest.",
	)
	f.Exclusive("known_hosts", "host_key", "own_guest")
	f.Check(l.check)
}

func (l *ResultsLogin) check(n *schema.Node) *schema.Fault {
	switch {
	case l.KnownHosts == "" && l.HostKey == "" && !l.OwnGuest:
		return &schema.Fault{
			Message: "nothing says what the target's host key is: known_hosts, host_key, or own_guest: true for a guest that " +
				"QEMU forwards the port to",
			Found: "none of them", Expected: "one of known_hosts, host_key, own_guest",
		}
	case l.OwnGuest && l.Host != loopback:
		return &schema.Fault{
			Path: "host", At: n.Get("host"), Message: "a guest's own port is at " + loopback, Found: l.Host, Expected: loopback,
		}
	case !l.OwnGuest && n.Get("host") == nil:
		return &schema.Fault{Message: "the key \"host\" is missing", Expected: "the name or address of a host"}
	}
	return nil
}

// checkOwnGuest refuses own_guest where the port may be anybody's: QEMU must be told to forward it. It cannot start
// when another process has the port.
func (d *Device) checkOwnGuest(r *schema.Report) {
	l := d.ResultsSSH
	if l == nil || !l.OwnGuest {
		return
	}
	forward := fmt.Sprintf("tcp:%s:%d-", loopback, l.Port)
	if d.Qemu != nil &&
		strings.Contains(strings.Join(slices.Concat([]string{
			d.Qemu.Command,
		}, d.Qemu.Options, d.Qemu.Extra), " "), "hostfwd="+forward) {
		return
	}
	at, path := d.Source.Get("results"), "results"
	if at == nil || at.Get("ssh") == nil {
		at, path = d.Source.Get("constants").Get("gantry-results"), "constants.gantry-results"
	}
	r.Add(at.Get("ssh").Get("own_guest"), path+".ssh.own_guest", schema.Fault{
		Message: fmt.Sprintf("QEMU does not forward the port into the guest: its options have no hostfwd=%s:22", forward),
		Found:   "no such option", Expected: "-net user,hostfwd=" + forward + ":22",
	})
}
