package store

import (
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is the file system that a store lies on.
type FS = vfs.FS

// Disk returns the file system of this machine.
func Disk() FS { return vfs.Default }

// Usage returns the free space of the volume that a directory is on, and its size. A volume that has no such numbers is
// endless: its size is 0.
func Usage(fs FS, dir string) (free, size uint64, err error) {
	usage, err := fs.GetDiskUsage(dir)
	if errors.Is(err, vfs.ErrUnsupported) {
		return math.MaxUint64, usage.TotalBytes, nil
	}
	return usage.AvailBytes, usage.TotalBytes, err
}
