package overlay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/internal/plaintext"
	"github.com/gantry-ci/gantry/results"
)

// debugfs changes a file system. It takes paths as root of the image sees them; "/." behind one has a symbolic link
// followed.
type debugfs struct {
	image *os.File
	spool *os.Root // files that debugfs copies from
	dir   *os.File // the same
}

// What debugfs finds its files as, whatever rights lead to them.
const (
	debugfsImage = "/proc/self/fd/3"
	debugfsSpool = "/proc/self/fd/4"
)

// debugfsPrompt is before each command that debugfs repeats.
const debugfsPrompt = "debugfs: "

// nobody is the user without rights of every Linux system.
const nobody = 65534

func newDebugfs(image string) (d *debugfs, err error) {
	d = &debugfs{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.image, err = os.OpenFile(image, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	spool := image + ".files"
	if err := errors.Join(os.RemoveAll(spool), os.Mkdir(spool, 0o700)); err != nil {
		return nil, err
	}
	if d.spool, err = os.OpenRoot(spool); err != nil {
		return nil, err
	}
	if d.dir, err = d.spool.Open("."); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		err = errors.Join(d.dir.Chown(nobody, nobody), d.image.Chown(nobody, nobody))
	}
	return d, err
}

// close removes what was spooled, and gives the image back to root.
func (d *debugfs) close() error {
	var errs []error
	if d.dir != nil {
		errs = append(errs, d.dir.Close())
	}
	if d.spool != nil {
		errs = append(errs, d.spool.Close(), os.RemoveAll(d.spool.Name()))
	}
	if d.image != nil {
		if os.Geteuid() == 0 {
			errs = append(errs, d.image.Chown(0, 0))
		}
		errs = append(errs, d.image.Close())
	}
	return errors.Join(errs...)
}

// types finds out what each path is in the image: "directory", "regular" or another word of debugfs's. Those that are
// not there are left out.
func (d *debugfs) types(ctx context.Context, files []File) (map[string]string, error) {
	var script strings.Builder
	for _, f := range files {
		p := "/" + f.Path
		if f.Mode.IsDir() {
			p += "/."
		}
		word, err := debugfsWord(p)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&script, "stat %s\n", word)
	}
	types, i := map[string]string{}, -1
	complaints, err := d.run(ctx, script.String(), func(line string) {
		if strings.HasPrefix(line, debugfsPrompt+"stat ") {
			i++
		} else if _, typ, ok := strings.Cut(line, "   Type: "); ok && i >= 0 && strings.HasPrefix(line, "Inode: ") {
			types[files[i].Path], _, _ = strings.Cut(typ, " ")
		}
	})
	if err != nil {
		return nil, err
	}
	for _, line := range complaints {
		if !strings.HasSuffix(line, "File not found by ext2_lookup") {
			return nil, results.Failf(results.ClassJob, "debugfs: %s", line)
		}
	}
	return types, nil
}

// debugfsPath is where debugfs is: where Debian has it, for users whose PATH lacks that, unless the PATH has another.
func debugfsPath() string {
	if p, err := exec.LookPath("debugfs"); err == nil {
		return p
	}
	return "/usr/sbin/debugfs"
}

// debugfsWord is a word of debugfs's commands. They are lines, and have no way to write a line's end.
func debugfsWord(s string) (string, error) {
	if strings.ContainsAny(s, "\n\x00") || len(s) > maxWord {
		return "", results.Failf(results.ClassJob, "%.80q is no name that debugfs takes", s)
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`, nil
}

// maxWord leaves room for two words in a command line of debugfs, which has 8192 bytes.
const maxWord = 3500

// run has debugfs execute a script. Each is called with the lines that it prints; complaints are its error messages,
// since its exit status is 0 even if commands fail.
func (d *debugfs) run(
	ctx context.Context, script string, each func(line string), flags ...string,
) (complaints []string, err error) {
	out, err := d.spool.Create("stdout")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	stderr := &bytes.Buffer{}
	cmd := exec.CommandContext(ctx, debugfsPath(), append(flags, "-f", "-", debugfsImage)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script), out, stderr
	cmd.Env = []string{"LC_ALL=C"}
	cmd.ExtraFiles = []*os.File{d.image, d.dir}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	cmd.WaitDelay = killWait
	if err := cmd.Run(); err != nil {
		return nil, d.failed(ctx, err, stderr.String())
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		each(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return nil, results.Failf(results.ClassJob, "read what debugfs prints: %w", err)
	}
	for line := range strings.Lines(stderr.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "debugfs 1.") { // its version
			complaints = append(complaints, line)
		}
	}
	return complaints, nil
}

// maxLine is more than any line that debugfs prints of a file system that is sound: the blocks of a fragmented folder.
const maxLine = 1 << 20

// killWait is from the kill of debugfs to giving up on its pipes.
const killWait = 5 * time.Second

// maxShown is how much of what debugfs printed is in an error.
const maxShown = 500

// failed is why debugfs did not end well: what it crashes on is the image.
func (d *debugfs) failed(ctx context.Context, err error, stderr string) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return results.Failf(results.ClassInfrastructure, "debugfs of e2fsprogs is not installed: %w", err)
	}
	return results.Failf(results.ClassJob, "debugfs: %w: %s", err, plaintext.Clip(strings.TrimSpace(stderr), maxShown))
}
