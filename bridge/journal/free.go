package journal

import (
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FreeBytes returns the free space of the volume that a directory is on, as the journal measures it.
func FreeBytes(dir string) (uint64, error) {
	usage, err := vfs.Default.GetDiskUsage(dir)
	if errors.Is(err, vfs.ErrUnsupported) {
		return math.MaxUint64, nil
	}
	return usage.AvailBytes, err
}
