package store

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/gantry-ci/gantry/jobs/lab"
	"github.com/gantry-ci/gantry/results"
)

// Limits of what an attempt may store: a guest prints what it likes, and a runner may be compromised. A line that is
// longer, and cases beyond the limit, count as lost.
const (
	MaxConsole = 256 << 20 // bytes: 3 h of a 115200 baud console that never pauses is 120 MB
	MaxEvents  = 64 << 20  // bytes: hundreds of thousands of cases
	maxLine    = 1 << 20   // bytes of one event
	maxCases   = 200_000
)

// ErrTooLarge is returned for bytes above the limit of a stream.
var ErrTooLarge = errors.New("the stream's limit is reached")

// Blobs keeps the streams of attempts: files that only grow, in DIR/RUN/ATTEMPT.
type Blobs struct {
	root  *os.Root
	seed  maphash.Seed
	locks [64]sync.Mutex // by hash of the path: a file has one writer, and not each file needs a lock of its own
}

// OpenBlobs opens the folder, and creates it if it is missing.
func OpenBlobs(dir string) (*Blobs, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	return &Blobs{root: root, seed: maphash.MakeSeed()}, nil
}

// Close closes the folder.
func (b *Blobs) Close() error { return b.root.Close() }

func blobPath(run string, attempt int, s lab.Stream) string {
	return filepath.Join(run, strconv.Itoa(attempt), s.File())
}

func (b *Blobs) lock(path string) *sync.Mutex {
	return &b.locks[maphash.String(b.seed, path)%uint64(len(b.locks))]
}

// Append stores data at the offset of a stream and returns the stream's size then. Bytes that the stream has already
// are not written again. Data that would leave a gap is not stored: the size returned is then less than the offset.
// Data above the limit is ErrTooLarge; what fits is stored.
func (b *Blobs) Append(run string, attempt int, s lab.Stream, offset int64, data []byte) (size int64, err error) {
	if err := b.admit(run, attempt, s); err != nil {
		return 0, err
	}
	path := blobPath(run, attempt, s)
	mu := b.lock(path)
	mu.Lock()
	defer mu.Unlock()
	f, err := b.create(path)
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", path, err)
	}
	size = st.Size()
	if offset < 0 || offset > size || offset+int64(len(data)) <= size {
		return size, nil
	}
	data = data[size-offset:]
	room := limit(s) - size
	full := int64(len(data)) > room
	if full {
		data = data[:max(room, 0)]
	}
	n, err := f.WriteAt(data, size)
	size += int64(n)
	if err != nil {
		return size, fmt.Errorf("append to %s: %w", path, err)
	}
	if full {
		return size, fmt.Errorf("append to %s: %w", path, ErrTooLarge)
	}
	return size, nil
}

// limit is the most bytes of a stream. All further consoles together may have as many as the first one.
func limit(s lab.Stream) int64 {
	n := int64(MaxEvents)
	if s.Kind() == lab.Console {
		n = MaxConsole
	}
	if s.Further() != "" {
		n /= results.MaxConsoles
	}
	return n
}

// admit reports whether an attempt may have a stream: the streams of a console too many are ErrTooLarge.
func (b *Blobs) admit(run string, attempt int, s lab.Stream) error {
	if s.Further() == "" {
		return nil
	}
	mu := b.lock(filepath.Join(run, strconv.Itoa(attempt)))
	mu.Lock()
	defer mu.Unlock()
	names, err := b.Consoles(run, attempt)
	if err != nil || slices.Contains(names, s.Further()) {
		return err
	}
	if len(names) >= results.MaxConsoles {
		return fmt.Errorf("append to %s: more than %d further consoles: %w", s, results.MaxConsoles, ErrTooLarge)
	}
	f, err := b.create(blobPath(run, attempt, lab.ConsoleStream(s.Further())))
	if err != nil {
		return fmt.Errorf("append to %s: %w", s, err)
	}
	return f.Close()
}

// Consoles are the names of the further consoles that an attempt has, sorted.
func (b *Blobs) Consoles(run string, attempt int) ([]string, error) {
	files, err := fs.ReadDir(b.root.FS(), filepath.ToSlash(filepath.Join(run, strconv.Itoa(attempt))))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list consoles of run %s: %w", run, err)
	}
	var names []string
	for _, f := range files {
		if name, ok := results.ConsoleOf(f.Name()); ok && name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// create opens a file for writing, and creates it and its folder if they are missing.
func (b *Blobs) create(path string) (*os.File, error) {
	f, err := b.root.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o640)
	if errors.Is(err, fs.ErrNotExist) {
		if err = b.root.MkdirAll(filepath.Dir(path), 0o750); err == nil {
			f, err = b.root.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o640)
		}
	}
	return f, err
}

// Sync makes a stream survive a power cut, and returns its size; a missing stream has size 0.
func (b *Blobs) Sync(run string, attempt int, s lab.Stream) (size int64, err error) {
	f, err := b.root.OpenFile(blobPath(run, attempt, s), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sync %s: %w", s, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("sync %s: %w", s, err)
	}
	st, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("sync %s: %w", s, err)
	}
	return st.Size(), nil
}

// Open opens a stream for reading; it may grow meanwhile. A missing stream is fs.ErrNotExist. run must be the id of a
// run in the store: it becomes part of a path.
func (b *Blobs) Open(run string, attempt int, s lab.Stream) (*os.File, error) {
	f, err := b.root.Open(blobPath(run, attempt, s))
	if err != nil {
		return nil, fmt.Errorf("open %s of run %s: %w", s, run, err)
	}
	return f, nil
}

// Remove removes the streams of a run.
func (b *Blobs) Remove(run string) error {
	if run == "" || filepath.Base(run) != run || !filepath.IsLocal(run) || run == "." {
		return fmt.Errorf("remove streams: %q is no run", run)
	}
	if err := b.root.RemoveAll(run); err != nil {
		return fmt.Errorf("remove streams of run %s: %w", run, err)
	}
	return nil
}
