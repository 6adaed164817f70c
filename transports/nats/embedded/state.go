package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	stateFile         = "state.json"
	serverDir         = "jetstream" // the server's own store
	indexFile         = "index.db"
	uncheckpointedDir = "jetstream.unfinished"

	positionFile = "o.dat" // of a consumer
)

// state is the content of state.json.
type state struct {
	// Clean: the server was shut down cleanly and everything is synced.
	Clean bool `json:"clean"`
	// Reserved is, for each stream, a sequence that is not below any that was given out.
	Reserved map[string]uint64 `json:"reserved"`
	// Base is nil until the first checkpoint. Then it is the last sequence of each stream at the end of the last repair.
	// A message missing above it was lost in a crash; one missing below it was removed on purpose, or skipped.
	Base map[string]uint64 `json:"base"`
}

// prepare readies the store for a server, marks it as in use, and reports whether the streams must be repaired once the
// server runs.
func (s *store) prepare() (st state, repair bool, err error) {
	if err := s.makeDir(); err != nil {
		return state{}, false, err
	}
	st, err = s.readState()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return state{}, false, err
	case st.Base == nil:
		return st, false, s.moveUncheckpointedAside()
	case st.Clean:
		st.Clean = false
		return st, false, s.writeState(st)
	}
	return st, true, errors.Join(s.dropIndexes(), s.dropEmptyPositions(), s.skipReserved(st.Reserved))
}

// makeDir creates the store's directory. Its name must be durable before anything in it counts as checkpointed.
func (s *store) makeDir() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return s.sync(filepath.Dir(s.dir))
}

// moveUncheckpointedAside renames a store that was never checkpointed: anything may be missing in it, and all of it is
// published again.
func (s *store) moveUncheckpointedAside() error {
	if err := os.RemoveAll(filepath.Join(s.dir, uncheckpointedDir)); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(s.dir, serverDir), filepath.Join(s.dir, uncheckpointedDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// dropIndexes makes the server read the blocks themselves, each message with its checksum: after a power loss an index
// may be on disk without the messages that it lists.
func (s *store) dropIndexes() error {
	found, err := filepath.Glob(filepath.Join(s.dir, serverDir, "*", "streams", "*", "msgs", indexFile))
	for _, path := range found {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// dropEmptyPositions removes consumers' positions that a power loss has left empty: the server could not restore such a
// consumer, nor could its owner recreate it. Without the file the consumer starts as configured.
func (s *store) dropEmptyPositions() error {
	found, err := filepath.Glob(filepath.Join(s.dir, serverDir, "*", "streams", "*", "obs", "*", positionFile))
	for _, path := range found {
		if info, failed := os.Stat(path); failed != nil || info.Size() > 0 {
			err = errors.Join(err, failed)
			continue
		}
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func (s *store) readState() (state, error) {
	var st state
	path := filepath.Join(s.dir, stateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return st, err
	}
	if err := json.Unmarshal(text, &st); err != nil {
		return st, fmt.Errorf("%s is corrupt: %w: "+
			"restore it from a backup, or remove its directory to start with an empty stream", path, err)
	}
	return st, nil
}

// writeState durably replaces state.json.
func (s *store) writeState(st state) error {
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, stateFile)
	if err := os.WriteFile(path+".tmp", text, 0o600); err != nil {
		return err
	}
	if err := s.sync(path + ".tmp"); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return s.sync(s.dir)
}
