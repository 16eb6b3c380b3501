// Package postgres starts a PostgreSQL server of the machine's own package for a test: a cluster in a folder of the
// test, reached by a socket there and by nothing else, without syncs, gone with the test.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 2 * time.Minute  // initdb and the first start, on a loaded machine
	stopTimeout  = 20 * time.Second // for a fast shutdown
)

// Start starts a server and returns the address of its database. The test is skipped where there is no PostgreSQL, and
// in short runs.
func Start(tb testing.TB) (dsn string) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts a database server; not in short runs")
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		tb.Skip("PostgreSQL is not installed (apt-get install postgresql)")
	}
	bin := filepath.Dir(found[len(found)-1])
	// A socket's path has at most 107 bytes: a test's own folder may be too deep.
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // too deep
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	as, err := owner(dir)
	if err != nil {
		tb.Skipf("PostgreSQL cannot run: %v", err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	data := filepath.Join(dir, "data")
	run := func(ctx context.Context, name string, args ...string) error {
		c := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as, Setpgid: true}
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
	if err := run(
		ctx, "initdb", "--no-sync", "--auth=trust", "--username=gantry", "--encoding=UTF8", "--locale=C", data,
	); err != nil {
		tb.Fatal(err)
	}
	options := "-c listen_addresses='' -c fsync=off -c max_connections=100 -k " + dir
	if err := run(
		ctx, "pg_ctl", "--pgdata="+data, "--wait", "--log="+filepath.Join(dir, "log"), "--options="+options, "start",
	); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := run(ctx, "pg_ctl", "--pgdata="+data, "--wait", "--mode=fast", "stop"); err != nil {
			tb.Error(err)
		}
	})
	return "postgres://gantry@/postgres?host=" + url.QueryEscape(dir)
}

// owner gives the folder to who may run PostgreSQL: not root. It is nil for the test's own user.
func owner(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // no change of user
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
