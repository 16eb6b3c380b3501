package beside

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/gantry-ci/gantry/jobs"
)

// maxKeyFile bounds what is read of an identity file.
const maxKeyFile = 64 << 10

// refusedError is a host key that is not the target's. Nothing is tried again after it.
type refusedError struct{ why error }

func (e *refusedError) Error() string { return fmt.Sprintf("the host key is refused: %v", e.why) }
func (e *refusedError) Unwrap() error { return e.why }

// host is what is known of a target's host key.
type host struct {
	check      ssh.HostKeyCallback
	algorithms []string // to ask for
	known      string   // how it is known, for the log
	seen       string   // the fingerprint that the target showed last
}

// hostKey reads what the device file says of it.
func hostKey(l *jobs.ResultsLogin) (*host, error) {
	switch {
	case l.HostKey != "":
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.HostKey))
		if err != nil {
			return nil, fmt.Errorf("read the device file's host_key: %w", err)
		}
		return &host{check: ssh.FixedHostKey(key), algorithms: algorithms(key.Type()), known: "the device file's"}, nil
	case l.KnownHosts != "":
		check, err := knownhosts.New(l.KnownHosts)
		if err != nil {
			return nil, fmt.Errorf("read known_hosts: %w", err)
		}
		return &host{check: check, algorithms: listed(check, l), known: "in " + l.KnownHosts}, nil
	case l.OwnGuest:
		return &host{
			check: ssh.InsecureIgnoreHostKey(), algorithms: usual(),
			known: "not checked: QEMU forwards the port into its own guest",
		}, nil
	}
	return nil, errors.New("the device file says nothing of the host key")
}

// listed are the algorithms of the keys that a file of known hosts has for the target: another of the host's keys would
// be refused. The file is asked with a key that nobody has.
func listed(check ssh.HostKeyCallback, l *jobs.ResultsLogin) []string {
	address := net.JoinHostPort(l.Host, strconv.Itoa(l.Port))
	var known *knownhosts.KeyError
	if !errors.As(check(address, &net.TCPAddr{IP: net.IPv4zero, Port: l.Port}, nobody{}), &known) || len(known.Want) == 0 {
		return usual()
	}
	var all []string
	for _, k := range known.Want {
		all = append(all, algorithms(k.Key.Type())...)
	}
	return all
}

type nobody struct{ ssh.PublicKey }

func (nobody) Type() string    { return "nobody" }
func (nobody) Marshal() []byte { return nil }

// usual are the algorithms to ask for where the kind of the key is not known. Ed25519 comes first: Debian 12's dropbear
// drops the connection when it is asked for RSA first and has no such key.
func usual() []string {
	return slices.Concat([]string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	}, algorithms(ssh.KeyAlgoRSA))
}

// algorithms are those that a key of a type signs with.
func algorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// clientConfig is how the runner logs in.
func clientConfig(l *jobs.ResultsLogin, h *host) (*ssh.ClientConfig, error) {
	key, err := identity(l.IdentityFile)
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: l.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyAlgorithms: h.algorithms,
		HostKeyCallback: func(name string, at net.Addr, key ssh.PublicKey) error {
			h.seen = ssh.FingerprintSHA256(key)
			if err := h.check(name, at, key); err != nil {
				return &refusedError{fmt.Errorf("%s shows %s: %w", name, h.seen, err)}
			}
			return nil
		},
	}, nil
}

// identity reads a private key, which is the runner's alone. What is in the file is never part of an error.
func identity(path string) (ssh.Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read identity_file: %w", err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read identity_file: %w", err)
	case !st.Mode().IsRegular() || st.Size() > maxKeyFile:
		return nil, fmt.Errorf("read identity_file: %s is no private key", path)
	case st.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf(
			"read identity_file: others than its owner may read or write %s (mode %04o)", path, st.Mode().Perm(),
		)
	}
	b := make([]byte, st.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("read identity_file: %w", err)
	}
	key, err := ssh.ParsePrivateKey(b)
	if protected := (*ssh.PassphraseMissingError)(nil); errors.As(err, &protected) {
		return nil, fmt.Errorf("read identity_file: %s has a passphrase, which nobody is there to type", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read identity_file: %s is no private key that ssh knows", path)
	}
	return key, nil
}
