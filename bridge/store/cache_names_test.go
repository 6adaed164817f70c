package store

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestRowsOfNamesAreFilled: the names of many small commits lie in few rows, which are all that whoever restores has.
func TestRowsOfNamesAreFilled(t *testing.T) {
	t.Parallel()
	const commits = 1000
	c := openCache(t, vfs.NewMem(), time.Now)
	defer closeCache(t, c)
	bucket := processor.Bucket{Number: 3, First: 1_700_000_000_000}
	broker := make(map[string][]byte)
	for n := range uint64(commits) {
		eff := processor.Effects{Identities: []processor.Name{nameOf(bucket.Number, n)},
			Counters: processor.Counters{Buckets: []processor.Bucket{bucket}}}
		commitNames(t, c, &eff, n+1, broker)
		if n == commits/2 { // as after a takeover with what was on disk: the row is not known, and another one begins
			clear(c.names)
		}
	}
	if most := 2 + commits*identityBytes/namesRowBytes + 1; len(broker) > most+1 { // and the state's row
		t.Errorf("%d commits with a name each make %d rows", commits, len(broker))
	}
	other := openCache(t, vfs.NewMem(), time.Now)
	defer closeCache(t, other)
	for key, value := range broker {
		if err := other.Apply([]bridge.Row{{Key: []byte(key), Value: value}}, 1); err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint64(commits) {
		for _, each := range []*Cache{c, other} {
			if _, found, err := each.Name(nameOf(bucket.Number, n)); !found || err != nil {
				t.Fatalf("name %d is lost: %v", n, err)
			}
		}
	}
}

// commitNames commits effects, and has the broker keep the last row of each key.
func commitNames(t *testing.T, c *Cache, eff *processor.Effects, next uint64, broker map[string][]byte) {
	t.Helper()
	rows, err := c.Rows(eff, next, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		broker[string(row.Key)] = row.Value
	}
	if err := c.Apply(rows, next); err != nil {
		t.Fatal(err)
	}
}

func nameOf(part, n uint64) (name processor.Name) {
	name.Part = part
	binary.BigEndian.PutUint64(name.Sum[:], n)
	return name
}
