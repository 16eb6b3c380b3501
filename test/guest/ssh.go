package guest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
	"golang.org/x/crypto/ssh"
)

// SSH is a guest that takes logins of root by ssh, on port 22 of the address that QEMU's user network forwards to.
type SSH struct {
	Files
	Identity string // the private key that it lets in, of a mode that ssh clients take
	HostKey  string // its public key, as in a .pub file
}

// sshd is what the ramdisk takes of Debian's packages: dropbear, and the libraries it loads.
func sshd() (packages, libraries []string) {
	return []string{"dropbear-bin", "libtomcrypt1", "libtommath1", "libgmp10", "zlib1g", "libcrypt1", "libc6"},
		[]string{
			"libtomcrypt.so.1", "libtommath.so.1", "libgmp.so.10", "libz.so.1", "libcrypt.so.1", "libc.so.6",
			"ld-linux-x86-64.so.2",
		}
}

// sshInit sets up the network and starts the server. The keys' folder is as private as the server wants it.
const sshInit = `chmod 700 /root /root/.ssh
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
dropbear -s -r /etc/dropbear/host -P /tmp/dropbear.pid
`

// MakeSSH is Make with a ramdisk that has a network card's driver and an ssh server.
func MakeSSH(ctx context.Context, dir string) (SSH, error) {
	f, err := Make(ctx, dir)
	s := SSH{Files: f, Identity: filepath.Join(dir, "ssh", "identity")}
	if err != nil {
		return s, err
	}
	s.Ramdisk = filepath.Join(dir, "ramdisk-ssh.cpio.gz")
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return s, err
	}
	defer unlock()
	load, records, err := modules(ctx, s.Kernel, netModules())
	if err != nil {
		return s, err
	}
	server := filepath.Join(dir, "ssh", "root")
	if _, err := os.Stat(server); err != nil {
		if err := unpackServer(ctx, server); err != nil {
			return s, fmt.Errorf("fetch an ssh server: %w", err)
		}
	}
	more, err := serverFiles(server)
	if err == nil {
		var keys []cpio.Record
		if keys, s.HostKey, err = keyFiles(filepath.Dir(s.Identity)); err == nil {
			err = ramdisk(s.Ramdisk, load+sshInit, append(append(records, more...), keys...)...)
		}
	}
	if err != nil {
		return s, fmt.Errorf("make a ramdisk: %w", err)
	}
	return s, nil
}

// unpackServer fetches the packages; nothing is installed.
func unpackServer(ctx context.Context, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), "server-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	packages, _ := sshd()
	if _, err := run(ctx, tmp, "apt-get", append([]string{"-q", "download"}, packages...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if _, err := run(ctx, tmp, "dpkg-deb", "-x", deb, "root"); err != nil {
			return err
		}
	}
	return os.Rename(filepath.Join(tmp, "root"), to)
}

// serverFiles are the server and what it needs, where it looks for it.
func serverFiles(root string) ([]cpio.Record, error) {
	var all []cpio.Record
	for _, d := range []string{"etc", "etc/dropbear", "lib", "lib/x86_64-linux-gnu", "lib64", "root/.ssh"} {
		all = append(all, cpio.Directory(d, 0o755))
	}
	_, libraries := sshd()
	for _, name := range append(libraries, "dropbear") {
		b, err := find(root, name)
		if err != nil {
			return nil, err
		}
		to := "lib/x86_64-linux-gnu/" + name
		switch {
		case name == "dropbear":
			to = "bin/dropbear"
		case strings.HasPrefix(name, "ld-linux"):
			to = "lib64/" + name
		}
		all = append(all, cpio.StaticFile(to, string(b), 0o755))
	}
	return append(
		all, cpio.StaticFile("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644),
		cpio.StaticFile("etc/group", "root:x:0:\n", 0o644),
	), nil
}

// find reads the file of that name, or the one beside it that it is a link to.
func find(root, name string) (b []byte, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != name || d.IsDir() {
			return err
		}
		if b, err = os.ReadFile(path); err == nil && len(b) > 0 {
			return fs.SkipAll
		}
		return nil // a link to a place outside: the file itself is further on
	})
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("the packages have no %s", name)
	}
	return b, err
}

// keyFiles are the server's key and the key that it lets in.
func keyFiles(dir string) (files []cpio.Record, hostKey string, err error) {
	host, err := key(filepath.Join(dir, "host"))
	if err != nil {
		return nil, "", err
	}
	identity, err := key(filepath.Join(dir, "identity"))
	if err != nil {
		return nil, "", err
	}
	server, err := ssh.NewPublicKey(host.Public())
	if err != nil {
		return nil, "", err
	}
	client, err := ssh.NewPublicKey(identity.Public())
	if err != nil {
		return nil, "", err
	}
	// dropbear's own format: the name of the kind, then seed and public key as one string.
	dropbear := ssh.Marshal(struct {
		Kind string
		Key  []byte
	}{ssh.KeyAlgoED25519, *host})
	return []cpio.Record{
		cpio.StaticFile("etc/dropbear/host", string(dropbear), 0o600),
		cpio.StaticFile("root/.ssh/authorized_keys", string(ssh.MarshalAuthorizedKey(client)), 0o600),
	}, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(server))), nil
}

// key reads a private key, and makes it first where it is missing.
func key(path string) (*ed25519.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		_, private, e := ed25519.GenerateKey(rand.Reader)
		if e != nil {
			return nil, e
		}
		block, e := ssh.MarshalPrivateKey(private, "gantry's tests")
		if e != nil {
			return nil, e
		}
		b = pem.EncodeToMemory(block)
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return nil, err
	}
	private, err := ssh.ParseRawPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	k, ok := private.(*ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s: it is no Ed25519 key", path)
	}
	return k, nil
}
