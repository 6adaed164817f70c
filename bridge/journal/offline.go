package journal

import (
	"fmt"
	"os"

	"livebridge/bridge/store"
)

// Mode is what may be done with a journal that is open.
type Mode = store.Access

// The modes of OpenOffline.
const (
	online    = store.Service   // opened by Open: a service runs on it
	ReadOnly  = store.ReadOnly  // nothing is written
	ReadWrite = store.ReadWrite // commands are written, and nothing else
)

// The errors of opening a journal.
var (
	ErrInUse     = store.ErrInUse     // another process has it open
	ErrNoJournal = store.ErrNoJournal // there is none
)

// OpenOffline opens the journal of a service that does not run, for an operator: no hold ends and nothing is forgotten;
// what is emitted waits for the service's next start. Append must not be called, and Release, Purge, Replay and
// Remember only with ReadWrite. The error wraps ErrInUse when the service does run, and ErrNoJournal when opts.Dir
// holds no journal.
func OpenOffline(opts Options, m Mode) (*Journal, error) {
	if err := checkOffline(&opts, m); err != nil {
		return nil, err
	}
	j, err := openJournal(opts, m)
	if err != nil {
		return nil, err
	}
	close(j.written) // there is no writer
	return j, nil
}

// checkOffline refuses to make a journal where there is none, and to leave files behind that the service cannot open.
func checkOffline(opts *Options, m Mode) error {
	found, err := store.Exists(opts.FS, opts.Dir)
	if err != nil {
		return fmt.Errorf("look at DATA_DIR %s: %w", opts.Dir, err)
	}
	if !found {
		return fmt.Errorf("DATA_DIR %s %w: set LIVEBRIDGE_DATA_DIR as it is set for the service", opts.Dir, ErrNoJournal)
	}
	info, err := os.Stat(opts.Dir)
	if err != nil || m != ReadWrite {
		return nil // a disk in memory, or no files to leave
	}
	if owner, yes := ownedByOther(info); yes {
		return fmt.Errorf("DATA_DIR %s belongs to user %d and this is user %d: "+
			"run the command as that user, or while the service runs", opts.Dir, owner, os.Geteuid())
	}
	return nil
}
