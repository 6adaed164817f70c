package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"livebridge/bridge"
	"livebridge/bridge/cluster"
	"livebridge/bridge/journal"
)

// handOver hands over to the partitions what a journal of DATA_DIR remembers, once. Callbacks that come to this replica
// wait in its queue, or are refused, until that is done, so that they are decided by what was known.
func (r *replica) handOver(ctx context.Context, s shared) error {
	dir := r.settings.DataDir
	m, err := readMemoryMark(dir)
	switch {
	case err != nil || m.State == memoryAtReplicas:
		return err
	case m.State == memoryImporting: // and given up: the partitions have everything
		m.State = memoryAtReplicas
		return m.write(dir)
	case m.State == memoryLocal:
		m = memoryMark{At: r.settings.memoryAt(r.transport), State: memoryHandingOver}
		if _, err := rand.Read(m.Salt[:]); err != nil {
			return err
		}
		if err := m.write(dir); err != nil {
			return err
		}
	}
	err = handOverJournal(ctx, r.settings, s, m.Salt, r.log)
	if errors.Is(err, cluster.ErrTooLarge) { // it stays local: nothing else has the entry
		m.State = memoryLocal
		return errors.Join(err, m.write(dir))
	}
	if err != nil {
		return err
	}
	m.State = memoryAtReplicas
	return m.write(dir)
}

// handOverJournal hands over what a journal of DATA_DIR remembers, if there is one.
func handOverJournal(ctx context.Context, s *settings, intake bridge.IntakeLog, salt [16]byte, log *zap.Logger) (
	err error,
) {
	o := s.journalOptions()
	o.Log = log
	j, err := journal.OpenOffline(o, journal.ReadOnly)
	if errors.Is(err, journal.ErrNoJournal) {
		return nil
	}
	if err != nil {
		return dataDirError(err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return handOverMemory(ctx, s, j, intake, salt, log)
}

func handOverMemory(
	ctx context.Context, s *settings, j *journal.Journal, intake bridge.IntakeLog, salt [16]byte, log *zap.Logger,
) error {
	c := s.clusterOptions()
	log.Info("memory of the journal is handed over to the partitions", zap.Int("partitions", intake.Partitions()))
	h, err := cluster.HandOver(ctx, cluster.HandOverOptions{Intake: intake, Salt: salt, Memory: j.Memory,
		Backoff: c.Backoff, BackoffMax: c.BackoffMax, Log: log})
	if errors.Is(err, cluster.ErrTooLarge) {
		return fmt.Errorf("hand over the journal's memory: %w; or release or purge the entry with INTAKE=local", err)
	}
	if err != nil {
		return fmt.Errorf("hand over the journal's memory: %w", err)
	}
	if share := s.DedupeMax / intake.Partitions(); h.Identities > share {
		log.Warn("DEDUPE_MAX is small for the ids of the journal, which each partition needs; the oldest are forgotten",
			zap.Int("ids", h.Identities), zap.Int("dedupe_max_per_partition", share))
	}
	log.Info("memory of the journal was handed over", zap.Int("lanes", h.Lanes), zap.Int("ids", h.Identities),
		zap.Int("signatures", h.Signatures), zap.Int("quarantine", h.Quarantined), zap.Int("dead_letters", h.DeadLetters))
	return nil
}
