package lab

import (
	"embed"
	"errors"
	"io/fs"
	"os"
)

//go:embed defaults
var defaults embed.FS

// ReadDevice reads the source of a device file, or of a built-in one where no file has the name.
func ReadDevice(name string) ([]byte, error) {
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if b, e := defaults.ReadFile("defaults/" + name + ".yaml"); e == nil {
			return b, nil
		}
	}
	return src, err
}
