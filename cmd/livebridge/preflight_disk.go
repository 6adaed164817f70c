package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"livebridge/bridge/journal"
)

const (
	syncSamples = 20 // syncs that are measured
	syncBytes   = 4 << 10
	// slowSync is the median above which callbacks are answered slowly: each waits for one or two syncs.
	slowSync = 20 * time.Millisecond
	// impossibleSync is a median that no storage reaches which honours fsync.
	impossibleSync = 5 * time.Microsecond
)

// tryDisk measures syncs and free space in DATA_DIR, or where it will be created.
func (s *settings) tryDisk() []checkResult {
	dir := existing(s.DataDir)
	median, longest, err := measureSync(dir)
	if err != nil {
		return []checkResult{failed("disk", settingError("DATA_DIR", "set a directory that livebridge may write to", "%w",
			err))}
	}
	return []checkResult{judgeSync(dir, median, longest), s.tryFreeSpace(dir)}
}

func judgeSync(dir string, median, longest time.Duration) checkResult {
	text := fmt.Sprintf("%s: a sync takes %v (median of %d), %v at most",
		dir, median.Round(time.Microsecond), syncSamples, longest.Round(time.Microsecond))
	switch {
	case median < impossibleSync:
		return warned("disk", "%s: the storage does not seem to honour fsync, such as tmpfs", text)
	case median > slowSync:
		return warned("disk", "%s: every callback waits for a sync; use faster storage", text)
	}
	return passed("disk", "%s", text)
}

func (s *settings) tryFreeSpace(dir string) checkResult {
	free, err := journal.FreeBytes(dir)
	if err != nil {
		return failed("space", err)
	}
	return s.judgeFreeSpace(free)
}

func (s *settings) judgeFreeSpace(free uint64) checkResult {
	switch wanted := uint64(s.MinFreeBytes) + uint64(s.JournalMaxBytes); {
	case free < uint64(s.MinFreeBytes):
		return failed("space", settingError("MIN_FREE_BYTES", "free space or lower it",
			"%v must stay free and only %s are, so that callbacks would be answered 503", s.MinFreeBytes,
			humanize.IBytes(free)))
	case free < wanted:
		return warned("space", "%s are free, less than JOURNAL_MAX_BYTES and MIN_FREE_BYTES together (%v): "+
			"the disk is full before the journal", humanize.IBytes(free), size(wanted))
	}
	return passed("space", "%s are free", humanize.IBytes(free))
}

// measureSync writes to a temporary file and syncs it, as the journal does.
func measureSync(dir string) (median, longest time.Duration, err error) {
	file, err := os.CreateTemp(dir, "livebridge-check-*")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	block, took := make([]byte, syncBytes), make([]time.Duration, syncSamples)
	for i := range took {
		if _, err := file.Write(block); err != nil {
			return 0, 0, err
		}
		begun := time.Now()
		if err := file.Sync(); err != nil {
			return 0, 0, err
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return took[syncSamples/2], took[syncSamples-1], nil
}

func parentOf(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return filepath.Dir(absolute)
}
