package main

import (
	"fmt"

	"go.uber.org/zap"

	"livebridge/bridge/journal"
)

// descriptors divides the limit on open files, so that no port can use up what the journal needs: connections are files
// too.
type descriptors struct {
	callbacks int // connections on LISTEN
	consumers int // of the embedded server; 0: its own limit
	operators int // connections on ADMIN_LISTEN
	journal   int // files that the journal keeps open
}

// What is reserved of the limit on open files before callbacks get the rest.
const (
	ownFiles     = 32 // standard streams, the poller, listeners, watched files while they are read
	busyReplies  = 66 // connections beyond MAX_CONNECTIONS while they get their 503
	brokerFiles  = 64 // connections to brokers, or files of the embedded server's streams and consumers
	controlFiles = 17 // connections on the control socket, and one that is rejected

	minCallbacks = 32 // the service does not start with less
)

// openFilesNeeded is the lowest limit on open files with which the service starts.
const openFilesNeeded = 448

// shareFiles divides a limit on open files. Callbacks get at most what is asked for.
func shareFiles(limit, asked int, embedded bool) descriptors {
	d := descriptors{operators: clamp(16, limit/32, 256),
		journal: clamp(journal.MinOpenFiles, limit/8, journal.MaxOpenFiles)}
	reserved := ownFiles + busyReplies + brokerFiles + controlFiles + d.operators + 1 + d.journal + journal.ReservedFiles
	if embedded {
		d.consumers = clamp(32, limit/8, 1<<16)
		reserved += d.consumers + 1
	}
	d.callbacks = min(asked, limit-reserved)
	return d
}

func clamp(least, n, most int) int { return max(least, min(n, most)) }

// shareDescriptors divides the process's limit on open files, and warns when it is too low for MAX_CONNECTIONS.
func (s *settings) shareDescriptors(log *zap.Logger) (descriptors, error) {
	embedded := s.transport().embedded()
	limit, limited := openFilesLimit()
	if !limited {
		limit = unlimitedFiles
	}
	d := shareFiles(limit, s.MaxConnections, embedded)
	switch {
	case limit < openFilesNeeded || d.callbacks < min(minCallbacks, s.MaxConnections):
		return d, &usageError{fmt.Errorf("the limit on open files is %d and livebridge needs at least %d: "+
			"raise it (ulimit -n)", limit, openFilesNeeded)}
	case d.callbacks < s.MaxConnections:
		log.Warn("MAX_CONNECTIONS lowered to fit the limit on open files; raise the limit (ulimit -n) or lower the setting",
			zap.String("setting", prefix+"MAX_CONNECTIONS"), zap.Int("configured", s.MaxConnections),
			zap.Int("effective", d.callbacks), zap.Int("open_files_limit", limit),
			zap.Int("open_files_needed", limitFor(limit, s.MaxConnections, embedded)))
	}
	return d, nil
}

// unlimitedFiles stands for no limit.
const unlimitedFiles = 1 << 30

// limitFor returns a limit on open files, above the given one, that is enough for the connections asked for.
func limitFor(limit, asked int, embedded bool) int {
	for shareFiles(limit, asked, embedded).callbacks < asked {
		limit += 1024
	}
	return limit
}
