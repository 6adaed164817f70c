package store

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// The tables, see doc.go.
const (
	tableMeta            = 'm'
	tableVersion         = 'v'
	tableLane            = 'l'
	tableHeld            = 'h'
	tableOutbox          = 'o'
	tableEventBatch      = 'p'
	tableIdentity        = 'i'
	tableSignature       = 's'
	tableQuarantineIndex = 'q'
	tableQuarantine      = 'Q'
	tableDeadLetter      = 'd'
	tableSessions        = 'e'
	tableHistory         = 'k'
	tableSegment         = 'K'
	tableHistoryLane     = 'x'
	tableHistoryID       = 'y'
)

// laneEnd stands behind a lane in a key; afterLane is the first byte above everything of that lane.
const (
	laneEnd   = 0x00
	afterLane = 0x01
)

func appendLane(dst []byte, l bridge.Lane) []byte {
	return l.AppendSubject(append(dst, byte(l.Kind)))
}

func laneKey(dst []byte, l bridge.Lane) []byte { return appendLane(append(dst, tableLane), l) }

func sessionsKey(dst []byte, l bridge.Lane) []byte { return appendLane(append(dst, tableSessions), l) }

// laneOfKey returns the lane of a key of table l, or e.
func laneOfKey(key []byte) (bridge.Lane, error) {
	if len(key) < 2 {
		return bridge.Lane{}, fmt.Errorf("lane key %q is too short", key)
	}
	l := bridge.Lane{Kind: bridge.Kind(key[1])}
	parts := strings.Split(string(key[2:]), "/")
	if len(parts) != 3 {
		return l, fmt.Errorf("lane key %q has %d parts, not 3", key, len(parts))
	}
	for i, into := range []*string{&l.Domain, &l.App, &l.Stream} {
		var err error
		if *into, err = url.PathUnescape(parts[i]); err != nil {
			return l, fmt.Errorf("lane key %q: %w", key, err)
		}
	}
	return l, nil
}

// streamsPrefix is what the lane keys of stream status begin with: of a domain, of all when it is empty.
func streamsPrefix(domain string) []byte {
	prefix := []byte{tableLane, byte(bridge.KindStream)}
	if domain != "" {
		prefix = append(bridge.AppendEscaped(prefix, domain, bridge.KeepDot), '/')
	}
	return prefix
}

func outboxKey(dst []byte, l bridge.Lane, sequence uint64) []byte {
	dst = append(appendLane(append(dst, tableOutbox), l), laneEnd)
	return binary.BigEndian.AppendUint64(dst, sequence)
}

// outboxLaneOf returns the part of an outbox key that all events of its lane share: table, lane and laneEnd.
func outboxLaneOf(key []byte) []byte { return key[:len(key)-8] }

func heldKey(dst []byte, l bridge.Lane, session bridge.Millis, phase bridge.Phase) []byte {
	dst = append(appendLane(append(dst, tableHeld), l), laneEnd)
	dst = binary.BigEndian.AppendUint64(dst, uint64(session))
	return append(dst, byte(phase))
}

func nameKey(dst []byte, n processor.Name) []byte {
	table := byte(tableIdentity)
	if n.Signature {
		table = tableSignature
	}
	return append(numberKey(dst, table, n.Part), n.Sum[:]...)
}

func numberKey(dst []byte, table byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, table), n)
}

// tableBounds returns the first key of a table and the first key behind it.
func tableBounds(table byte) (lower, upper []byte) { return []byte{table}, []byte{table + 1} }
