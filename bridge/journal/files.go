package journal

import (
	"errors"
	"syscall"
	"time"
)

// filesRetry is how long the journal waits for a file descriptor before it tries again what it can do later.
const filesRetry = 200 * time.Millisecond

// outOfFiles reports whether a file could not be opened because the process, or the machine, has too many open: nothing was
// written then, and nothing is lost.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
