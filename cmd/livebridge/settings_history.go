package main

import "fmt"

// leastKeepBytes is room for some thousand events.
const leastKeepBytes size = 1 << 20

// checkHistory rejects a history without room.
func (s *settings) checkHistory() []error {
	if s.JournalKeep > 0 && s.JournalKeepBytes < leastKeepBytes {
		return []error{settingError("JOURNAL_KEEP_BYTES", fmt.Sprintf("use %v or more, or JOURNAL_KEEP=0", leastKeepBytes),
			"%v is too small", s.JournalKeepBytes)}
	}
	return nil
}
