package qemu

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/gantry-ci/gantry/vmhost/qemuarg"
)

// A qcow2 image may name other files, which QEMU opens for the guest; gantry reads its header before it does. That
// holds only if nobody else writes the header: a second drive of the same file, or an earlier boot that had the file as
// raw. QEMU's own locks, which refuse a second writer, are off for inherited descriptors. So a served job's disk is one
// drive, alone, and of one format for as long as the attempt lasts.

// checkDisks refuses to the job an image that is a disk and anything else, another disk included. Resolve says where a
// file is.
func checkDisks(opts []option, resolve func(string) string) error {
	first := map[string]option{}
	for _, o := range opts {
		file := o.File()
		if file == "" {
			continue
		}
		file = filepath.Clean(resolve(file))
		other, twice := first[file]
		if !twice {
			first[file] = o
		} else if o.From == qemuarg.FromJob && (o.IsDisk() || other.IsDisk()) {
			return qemuarg.Refuse(o.Option, usedTwice(o.File(), other))
		}
	}
	return nil
}

func usedTwice(file string, other option) string {
	return fmt.Sprintf("%s is in %q already: what is a disk may be used once in a served job", file, other.String())
}

// used is a file that was opened for an option.
type used struct {
	file os.FileInfo
	opt  option
}

// alone is checkDisks for the files themselves, which may have several names.
func (f *files) alone(st os.FileInfo, opt option, strict bool) error {
	for _, u := range f.used {
		if strict && (opt.IsDisk() || u.opt.IsDisk()) && os.SameFile(st, u.file) {
			return fmt.Errorf("%w: %s", errImage, usedTwice(opt.File(), u.opt))
		}
	}
	f.used = append(f.used, used{st, opt})
	return nil
}

// fileID identifies a file among all others, also from a later one with the same inode number where the file system has
// times of birth.
type fileID struct {
	major, minor uint32
	inode        uint64
	seconds      int64
	nanoseconds  uint32
}

// formats are those that the disks of an attempt's guests had when one of them was switched on.
type formats struct {
	mu sync.Mutex
	of map[fileID]string
}

// keep refuses a disk that had another format.
func (f *formats) keep(file *os.File, opt option) error {
	var st unix.Statx_t
	if err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return fmt.Errorf("identify %s: %w", opt.File(), err)
	}
	id := fileID{st.Dev_major, st.Dev_minor, st.Ino, st.Btime.Sec, st.Btime.Nsec}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := opt.Format()
	if before, ok := f.of[id]; ok && before != now {
		return fmt.Errorf(
			"%w: %s was %s before, so it cannot be %s: the guest may have written a header of its own", errImage, opt.File(),
			before, now,
		)
	}
	if f.of == nil {
		f.of = map[fileID]string{}
	}
	f.of[id] = now
	return nil
}
