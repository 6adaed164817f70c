//go:build unix

package journal

import (
	"os"
	"syscall"
)

// ownedByOther reports whether a file belongs to another user than this process, and to which.
func ownedByOther(info os.FileInfo) (owner int, yes bool) {
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, false
	}
	return int(stat.Uid), int(stat.Uid) != os.Geteuid()
}
