package qemu

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// files are what QEMU inherits. It runs as a user who can open nothing of the run's, so gantry opens the images: a disk
// becomes a set of descriptors (/dev/fdset/N), a file that is only read becomes /proc/self/fd/N.
type files struct {
	list    []*os.File
	names   map[string]string // path, format and access → what QEMU calls it
	sets    []option          // -add-fd
	used    []used
	formats *formats
	largest int64
}

// firstFD is the number of the first inherited descriptor after stdin, stdout and stderr.
const firstFD = 3

// add appends f and is its number in the child.
func (f *files) add(file *os.File) int {
	f.list = append(f.list, file)
	return firstFD + len(f.list) - 1
}

func (f *files) close() {
	for _, file := range f.list {
		_ = file.Close()
	}
	f.list = nil
}

func key(o option) string {
	return fmt.Sprintf("%v %v %q %s", o.write, o.Kind() == qemuarg.KindPath, o.Format(), o.File())
}

func (f *files) name(o option) string { return f.names[key(o)] }

// inherit completes the options with the numbers of what is inherited.
func (f *files) inherit(opts []option, sockets map[socket]*os.File) []option {
	all := slices.Concat(opts, f.sets)
	for i, o := range all {
		if o.sock != noSocket {
			all[i].Value += ",fd=" + strconv.Itoa(firstFD+slices.Index(f.list, sockets[o.sock]))
		}
	}
	return all
}

// openFiles opens what the options name. The result is to be closed, also on error.
func openFiles(o Options, c *command, known *formats) (*files, error) {
	f := &files{names: map[string]string{}, formats: known}
	for _, opt := range c.opts {
		if opt.File() == "" || f.names[key(opt)] != "" && (!opt.IsDisk() || !isStrict(o, opt)) {
			continue
		}
		name, err := f.open(o, opt)
		if err != nil {
			if errors.Is(err, errImage) {
				return f, qemuarg.Refuse(opt.Option, err.Error())
			}
			return f, fmt.Errorf("open the image of %q: %w", opt.String(), err)
		}
		f.names[key(opt)] = name
	}
	return f, nil
}

// isStrict is an option that names a stranger's image.
func isStrict(o Options, opt option) bool { return o.Trust == Served && opt.From == qemuarg.FromJob }

// open opens one file and says what QEMU calls it.
func (f *files) open(o Options, opt option) (string, error) {
	strict := isStrict(o, opt)
	if !strict && !isFile(opt.File()) {
		return opt.File(), nil // a URL, or a name QEMU looks up by itself
	}
	flags := unix.O_CLOEXEC | unix.O_NONBLOCK // of a fifo, so that it cannot hold us up
	if strict {
		flags |= unix.O_NOFOLLOW
	}
	reader, err := os.OpenFile(opt.File(), os.O_RDONLY|flags, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return "", fmt.Errorf("%w: %s is a symbolic link", errImage, opt.File())
	case err != nil:
		return "", err
	}
	st, err := reader.Stat()
	if err == nil && strict && !st.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not a regular file", errImage, opt.File())
	}
	if err == nil {
		err = f.alone(st, opt, strict)
	}
	if err != nil {
		_ = reader.Close()
		return "", err
	}
	f.largest = max(f.largest, st.Size())
	if opt.Kind() == qemuarg.KindPath {
		return f.readable(reader, st)
	}
	if !strict && refersElsewhere(reader, opt) { // the operator's: paths in it count from its own
		_ = reader.Close()
		return opt.File(), nil
	}
	return f.disk(reader, st, opt, flags, strict)
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && (st.Mode().IsRegular() || st.Mode()&fs.ModeDevice != 0)
}

// errImage is an image that a served job may not use as it is.
var errImage = errors.New("the image is refused")

// refersElsewhere is a qcow2 with a backing file, or with its data in another file.
func refersElsewhere(r io.ReaderAt, opt option) bool {
	err := checkQcow2(r)
	return opt.Format() != "raw" && (errors.Is(err, errBacking) || errors.Is(err, errDataFile))
}

// checkFormat keeps a stranger's image from naming other files, which it could have learnt to in an earlier boot.
func (f *files) checkFormat(file *os.File, opt option) error {
	if opt.Format() != "raw" {
		if err := checkQcow2(file); err != nil {
			return fmt.Errorf("%w: %s: %w", errImage, opt.File(), err)
		}
	}
	return f.formats.keep(file, opt)
}

// disk makes a descriptor set. QEMU picks the member by the access it wants.
func (f *files) disk(reader *os.File, st fs.FileInfo, opt option, flags int, strict bool) (string, error) {
	members, lock := []*os.File{reader}, unix.LOCK_SH
	var err error
	if opt.write {
		var writer *os.File
		if writer, err = os.OpenFile(opt.File(), os.O_RDWR|flags, 0); err == nil {
			members, lock = []*os.File{writer, reader}, unix.LOCK_EX
			err = isSame(writer, st)
		}
	}
	if err == nil { // in place of QEMU's own locks, and held as long as QEMU has the descriptor
		if err = unix.Flock(int(members[0].Fd()), lock|unix.LOCK_NB); err != nil {
			err = fmt.Errorf("lock it, as another guest may have it: %w", err)
		}
	}
	if err == nil && strict { // under the lock, so that what is read stays
		err = f.checkFormat(reader, opt)
	}
	if err != nil {
		for _, m := range members {
			_ = m.Close()
		}
		return "", err
	}
	set := strconv.Itoa(len(f.list) + 1)
	for _, m := range members {
		f.sets = append(f.sets, made("add-fd", fmt.Sprintf("fd=%d,set=%s", f.add(m), set)))
	}
	return "/dev/fdset/" + set, nil
}

func isSame(file *os.File, as fs.FileInfo) error {
	st, err := file.Stat()
	if err == nil && !os.SameFile(st, as) {
		err = fmt.Errorf("%s was replaced meanwhile", file.Name())
	}
	return err
}

// maxCopy bounds what readable copies into memory.
const maxCopy = 2 << 30

// readable makes a kernel, ramdisk or firmware readable by name through /proc: QEMU opens these itself, which needs the
// right to read the file though not its folders. Where others have none, the process gets a copy in memory.
func (f *files) readable(file *os.File, st fs.FileInfo) (string, error) {
	if st.Mode().Perm()&0o004 != 0 || os.Geteuid() != 0 {
		return fmt.Sprintf("/proc/self/fd/%d", f.add(file)), nil
	}
	defer func() { _ = file.Close() }()
	fd, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("copy %s into memory: %w", file.Name(), err)
	}
	mem := os.NewFile(uintptr(fd), file.Name())
	n, err := io.Copy(mem, io.LimitReader(file, maxCopy+1))
	if err == nil && n > maxCopy {
		err = fmt.Errorf("it is larger than %d bytes", int64(maxCopy))
	}
	if err == nil {
		err = mem.Chmod(0o444)
	}
	if err != nil {
		_ = mem.Close()
		return "", fmt.Errorf("copy %s into memory: %w", file.Name(), err)
	}
	return fmt.Sprintf("/proc/self/fd/%d", f.add(mem)), nil
}
