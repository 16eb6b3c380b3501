package qemu

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A qcow2 image may name other files, which QEMU opens for the guest; gantry reads its header before it does. That
// holds only if nobody else writes the header: a second drive of the same file, or an earlier boot that had the file as
// raw. QEMU's own locks, which refuse a second writer, are off for inherited descriptors. So a served job's disk is one
// drive, alone, and of one format for as long as there is the guest.

// subject is the file that an option opens, "" for none.
func subject(o option) string {
	switch k := kindOf(o.name); {
	case k == path, k == disk:
		return o.value
	case o.name == "drive":
		file, _ := parseProps(o.value).get("file")
		return file
	}
	return ""
}

func isDisk(o option) bool { return o.name == "drive" || kindOf(o.name) == disk }

// format is what a drive says that its file is, "" when QEMU may guess or it is no drive.
func format(o option) string {
	if o.name != "drive" {
		return ""
	}
	f, _ := parseProps(o.value).get("format")
	return f
}

// checkOnce refuses to the job an image that is a disk and anything else, another disk included. Resolve says where a
// subject is.
func checkOnce(opts []option, resolve func(string) string) error {
	first := map[string]option{}
	for _, o := range opts {
		file := subject(o)
		if file == "" {
			continue
		}
		file = filepath.Clean(resolve(file))
		other, twice := first[file]
		if !twice {
			first[file] = o
		} else if o.from == fromJob && (isDisk(o) || isDisk(other)) {
			return refuse(o, usedTwice(subject(o), other))
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

// once is checkOnce for the files themselves, which may have several names.
func (f *files) once(st os.FileInfo, opt option, strict bool) error {
	for _, u := range f.used {
		if strict && (isDisk(opt) || isDisk(u.opt)) && os.SameFile(st, u.file) {
			return fmt.Errorf("%w: %s", errImage, usedTwice(opt.file, u.opt))
		}
	}
	f.used = append(f.used, used{st, opt})
	return nil
}

// fileID tells a file from all others, also from a later one with the same inode number where the file system has times
// of birth.
type fileID struct {
	major, minor uint32
	inode        uint64
	seconds      int64
	nanoseconds  uint32
}

// formats are those that the disks of a guest had when it was switched on, now or before.
type formats map[fileID]string

// keep refuses a disk that had another format.
func (f formats) keep(file *os.File, opt option) error {
	var st unix.Statx_t
	if err := unix.Statx(int(file.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return fmt.Errorf("identify %s: %w", opt.file, err)
	}
	id := fileID{st.Dev_major, st.Dev_minor, st.Ino, st.Btime.Sec, st.Btime.Nsec}
	now := format(opt)
	if before, ok := f[id]; ok && before != now {
		return fmt.Errorf(
			"%w: %s was %s before, so it cannot be %s: the guest may have written a header of its own", errImage, opt.file,
			before, now,
		)
	}
	f[id] = now
	return nil
}
