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
	o := s.queueOptions(log)
	if _, err := os.Stat(o.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	q, err := store.OpenQueue(o)
	if err != nil {
		return dataDirError(err)
	}
	waiting, err := q.Read(0, 1)
	if err == nil && len(waiting) > 0 {
		err = &usageError{settingError("INTAKE", "set INTAKE=broker until they are there",
			"is local, and %s has callbacks that were answered 200 and must still reach the broker", o.Dir)}
	}
	return errors.Join(err, q.Close())
}

// checkJournalEmpty returns an error while the journal of DATA_DIR has what only a service of its own publishes.
// Entries for review do not hinder: they stay, and are reviewed with INTAKE=local.
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
	if n := i.Quarantine.Entries + i.DeadLetters.Entries; n > 0 {
		log.Warn("the journal in DATA_DIR has entries for review, which a replica does not see; "+
			"review them with INTAKE=local while no service runs", zap.Uint64("entries", n))
	}
	return nil
}
