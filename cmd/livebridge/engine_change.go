package main

import (
	"errors"
	"fmt"
	"os"

	"go.uber.org/zap"

	"livebridge/bridge/journal"
	"livebridge/bridge/store"
)

// checkQueueEmpty returns an error while callbacks wait that a replica has answered 200, and that only a replica
// forwards.
func (s *settings) checkQueueEmpty(log *zap.Logger) error {
	waiting, err := s.queueWaits(log)
	if err == nil && waiting {
		err = &usageError{settingError("INTAKE", "set INTAKE=broker until they are there",
			"is local, and %s has callbacks that were answered 200 and must still reach the broker", s.queueOptions(log).Dir)}
	}
	return err
}

// queueWaits reports whether callbacks wait in the queue of DATA_DIR.
func (s *settings) queueWaits(log *zap.Logger) (bool, error) {
	o := s.queueOptions(log)
	if _, err := os.Stat(o.Dir); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	q, err := store.OpenQueue(o)
	if err != nil {
		return false, dataDirError(err)
	}
	waiting, err := q.Read(0, 1)
	return len(waiting) > 0, errors.Join(err, q.Close())
}

// checkJournalEmpty returns an error while the journal of DATA_DIR has what only a service of its own publishes. What
// it remembers, and has for review, is handed over.
func (s *settings) checkJournalEmpty(log *zap.Logger) error {
	o := s.journalOptions()
	o.Log = log
	j, err := journal.OpenOffline(o, journal.ReadOnly)
	if errors.Is(err, journal.ErrNoJournal) {
		return nil
	}
	if err != nil {
		return dataDirError(err)
	}
	i, err := j.Inspect()
	if err = errors.Join(err, j.Close()); err != nil {
		return fmt.Errorf("read the journal in %s: %w", s.DataDir, err)
	}
	if n := i.Outbox.Entries + i.Held.Entries; n > 0 {
		return &usageError{settingError("INTAKE", "set INTAKE=local until `livebridge journal inspect` shows none",
			"is broker, and the journal in %s has %d events that are not published", s.DataDir, n)}
	}
	return nil
}
