// Command sidebyside times one job on gantry run, on LAVA's own dispatcher (Debian's lava-dispatcher, as root) and on
// plain QEMU, in turn: the same kernel, ramdisk and arguments, no snapshots. It prints medians with their spread.
//
//	go run ./test/sidebyside -n 10
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gantry-ci/gantry/test/guest"
)

// runTimeout is for one run on a busy machine.
const runTimeout = 3 * time.Minute

// cmdline is what all three boot with.
const cmdline = "console=ttyS0 rdinit=/init no_timer_check"

func main() {
	n := flag.Int("n", 10, "runs of each, after one that does not count")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := compare(ctx, *n)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidebyside:", err)
		os.Exit(1)
	}
}

// contender is one way to run the job.
type contender struct {
	name string
	run  func(ctx context.Context, dir string) (*exec.Cmd, error)
	wall []time.Duration
	cpu  []time.Duration
}

func compare(ctx context.Context, n int) (err error) {
	dir, err := os.MkdirTemp("", "gantry-sidebyside-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newBench(ctx, dir)
	if err != nil {
		return err
	}
	all := []*contender{{name: "gantry run", run: b.gantry}, {name: "plain QEMU", run: b.qemu}}
	if _, err := exec.LookPath("lava-run"); err == nil {
		all = append(all, &contender{name: "lava-run", run: b.lava})
	} else {
		fmt.Println("lava-run is left out: apt-get install lava-dispatcher")
	}
	for i := range n + 1 {
		for _, c := range all {
			if err := c.once(ctx, filepath.Join(dir, fmt.Sprintf("%s-%d", strings.Fields(c.name)[0], i)), i > 0); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	fmt.Println("| | wall median | min | max | CPU median |")
	fmt.Println("|---|--:|--:|--:|--:|")
	for _, c := range all {
		fmt.Printf(
			"| %s | %.2f s | %.2f s | %.2f s | %.2f s |\n", c.name, median(c.wall), slices.Min(c.wall).Seconds(),
			slices.Max(c.wall).Seconds(), median(c.cpu),
		)
	}
	if len(all) == 3 {
		fmt.Printf(
			"\ngantry run / lava-run: %.2f of its wall time, %.2f of its CPU time\n", median(all[0].wall)/median(all[2].wall),
			median(all[0].cpu)/median(all[2].cpu),
		)
	}
	fmt.Printf("gantry run - plain QEMU: %+.2f s\n", median(all[0].wall)-median(all[1].wall))
	return nil
}

func median(d []time.Duration) float64 {
	s := slices.Sorted(slices.Values(d))
	return (s[(len(s)-1)/2] + s[len(s)/2]).Seconds() / 2
}

// once runs it once, in a folder of its own.
func (c *contender) once(ctx context.Context, dir string, counts bool) error {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	start := time.Now()
	cmd, err := c.run(ctx, dir)
	if err != nil {
		return err
	}
	if counts {
		c.wall = append(c.wall, time.Since(start))
		c.cpu = append(c.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	return nil
}

// bench is what the three share.
type bench struct {
	bin, job, lavaDevice string
	images               guest.Files
	id                   int
}

func newBench(ctx context.Context, dir string) (*bench, error) {
	cache, err := guest.Dir()
	if err != nil {
		return nil, err
	}
	images, err := guest.Make(ctx, cache)
	if err != nil {
		return nil, err
	}
	b := &bench{
		bin: filepath.Join(dir, "gantry"), images: images, id: os.Getpid() * 100,
		job: filepath.Join(dir, "job.yaml"), lavaDevice: filepath.Join(dir, "device.yaml"),
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	job := strings.NewReplacer(
		"@KERNEL@", images.Kernel, "@RAMDISK@", images.Ramdisk, "@CMDLINE@", cmdline,
	).Replace(jobYAML)
	if err := os.WriteFile(b.job, []byte(job), 0o600); err != nil {
		return nil, err
	}
	return b, os.WriteFile(b.lavaDevice, []byte(deviceYAML), 0o600)
}

// gantry runs the job as LAVA does, device file and all.
func (b *bench) gantry(ctx context.Context, dir string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(
		ctx, b.bin, "run", "--device", b.lavaDevice, "--output-dir", filepath.Join(dir, "out"), b.job,
	)
	return cmd, run(cmd, "verdict  pass")
}

func (b *bench) lava(ctx context.Context, dir string) (*exec.Cmd, error) {
	b.id++
	cmd := exec.CommandContext(
		ctx, "lava-run", "--job-id", strconv.Itoa(b.id), "--output-dir", filepath.Join(dir, "out"), "--device", b.lavaDevice,
		b.job,
	)
	return cmd, run(cmd, `"case": "job", "definition": "lava", "result": "pass"`)
}

func run(cmd *exec.Cmd, want string) error {
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.Contains(string(out), want) {
		err = fmt.Errorf("it does not say %q", want)
	}
	if err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

// qemu is the floor: to the prompt, the same commands, off.
func (b *bench) qemu(ctx context.Context, _ string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-nographic", "-m", "512", "-net",
		"nic,model=virtio,macaddr=52:54:00:12:34:59",
		"-net", "user", "-monitor", "none", "-kernel", b.images.Kernel, "-append", cmdline, "-initrd", b.images.Ramdisk)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err = await(out, "gantry:/root#")
	if err == nil {
		_, err = io.WriteString(in, "uname -a; test -d /proc/self; echo do''ne\n")
	}
	if err == nil {
		err = await(out, "done")
	}
	_, _ = cmd.Process.Kill(), cmd.Wait()
	return cmd, err
}

// await reads to the first occurrence of text.
func await(r io.Reader, text string) error {
	var seen []byte
	buf := make([]byte, 4096)
	for !strings.Contains(string(seen), text) {
		n, err := r.Read(buf)
		seen = append(seen[max(0, len(seen)-len(text)):], buf[:n]...)
		if err != nil {
			return fmt.Errorf("wait for %q: %w", text, err)
		}
	}
	return nil
}
