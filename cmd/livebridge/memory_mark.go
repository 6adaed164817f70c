package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// memoryMark says, in a file of DATA_DIR, that what a service remembers is not in the journal there but at the broker:
// its replicas have it. It is there before the first thing is handed over, and goes when all is back in the journal.
//
//	no file ─ INTAKE=broker ─► handing_over ──► at_replicas
//	   ▲                                            │
//	   └────── imported ◄── importing ◄─ journal import
type memoryMark struct {
	At    string      `json:"at"` // topic and group of the replicas
	State memoryState `json:"state"`
	Salt  [16]byte    `json:"salt"`            // of what is under way, so that it can be done again
	Below []uint64    `json:"below,omitempty"` // of imported: which entries for review leave the partitions
}

// memoryState is where the memory of a service is.
type memoryState string

// The states.
const (
	memoryLocal       memoryState = ""             // in the journal
	memoryHandingOver memoryState = "handing_over" // in the journal, which does not change; partitions have some of it
	memoryAtReplicas  memoryState = "at_replicas"  // at the partitions; the journal has what it was once
	memoryImporting   memoryState = "importing"    // at the partitions; the journal has some of it
	memoryImported    memoryState = "imported"     // in the journal; partitions still have entries for review
)

// memoryMarkPath is where the mark lies.
func memoryMarkPath(dir string) string { return filepath.Join(dir, "memory.json") }

// readMemoryMark reads the mark of a DATA_DIR. Where there is none the memory is local.
func readMemoryMark(dir string) (m memoryMark, err error) {
	text, err := os.ReadFile(memoryMarkPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	switch m.State {
	case memoryHandingOver, memoryAtReplicas, memoryImporting, memoryImported:
	default:
		err = errors.Join(err, fmt.Errorf("unknown state %q", m.State))
	}
	if err != nil {
		err = fmt.Errorf("read %s, which says where the memory of the service is: %w", memoryMarkPath(dir), err)
	}
	return m, err
}

// write makes the mark durable. The mark of a local memory is no file.
func (m *memoryMark) write(dir string) error {
	if m.State == memoryLocal {
		return errors.Join(os.Remove(memoryMarkPath(dir)), syncDir(dir))
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(memoryMarkPath(dir)+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(f.Name(), memoryMarkPath(dir)), syncDir(dir))
}

// syncDir makes durable what files a directory has.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// memoryAt names the replicas of the settings in a mark.
func (s *settings) memoryAt(t transport) string { return t.destination() + ", group " + s.IntakeGroup }

// checkMemoryLocal returns an error where a journal of DATA_DIR does not have what the service remembers.
func (s *settings) checkMemoryLocal() error {
	m, err := readMemoryMark(s.DataDir)
	if err != nil || m.State == memoryLocal {
		return err
	}
	return &usageError{settingError("INTAKE",
		"run `livebridge journal import` with the settings of the replicas, or, to begin without what they know, delete "+
			memoryMarkPath(s.DataDir),
		"is local, and what the service remembers is at its replicas (%s)", m.At)}
}

// checkMemoryReplicas returns an error where what the service remembers is neither in DATA_DIR nor at the replicas of
// the settings.
func (s *settings) checkMemoryReplicas(t transport) error {
	m, err := readMemoryMark(s.DataDir)
	at := s.memoryAt(t)
	switch {
	case err != nil || m.State == memoryLocal:
		return err
	case m.At != at:
		return &usageError{settingError("INTAKE",
			"run `livebridge journal import` with the settings of those, or, to begin without what they know, delete "+
				memoryMarkPath(s.DataDir),
			"is broker, with replicas of %s, and what the service remembers is at those of %s", at, m.At)}
	case m.State == memoryImported:
		return &usageError{settingError("INTAKE", "run `livebridge journal import` once more, to its end",
			"is broker, and an import into the journal was interrupted")}
	}
	return nil
}
