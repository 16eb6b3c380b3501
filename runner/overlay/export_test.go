package overlay

import (
	"archive/tar"
	"fmt"
	"io"
)

// WriteTar writes the content as a tar archive, owned by root, without the folders above its own.
func (c *Content) WriteTar(w io.Writer) error {
	tw := tar.NewWriter(w)
	if err := c.entries(tw); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return nil
}
