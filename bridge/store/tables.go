package store

import "livebridge/bridge/processor"

// Tables is what lies in the tables.
type Tables struct {
	Lanes        processor.Usage
	Held         processor.Usage
	Rows         processor.Usage // of the outbox, under their lanes
	EventBatches processor.Usage // likewise of the outbox
	Identities   processor.Usage
	Signatures   processor.Usage
	Quarantine   processor.Usage
	Index        processor.Usage // of the quarantine
	DeadLetters  processor.Usage
	History      processor.Usage
	HistoryLanes processor.Usage // where the entries are found by lane
	HistoryIDs   processor.Usage // likewise by id
	Segments     processor.Usage // of the history
}

// Tables counts anew what lies in the tables, for comparison with what the counters say. It reads all of them.
func (s *Store) Tables() (t Tables, err error) {
	for table, usage := range map[byte]*processor.Usage{
		tableLane: &t.Lanes, tableHeld: &t.Held, tableOutbox: &t.Rows, tableEventBatch: &t.EventBatches,
		tableIdentity: &t.Identities, tableSignature: &t.Signatures,
		tableQuarantine: &t.Quarantine, tableQuarantineIndex: &t.Index, tableDeadLetter: &t.DeadLetters,
		tableHistory: &t.History, tableHistoryLane: &t.HistoryLanes, tableHistoryID: &t.HistoryIDs,
		tableSegment: &t.Segments,
	} {
		if err := s.each(table, func(_, value []byte) error { usage.Add(len(value)); return nil }); err != nil {
			return t, err
		}
	}
	return t, nil
}
