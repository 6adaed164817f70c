package journal

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/store/storetest"
)

func sizeOf(t *testing.T, disk *vfs.MemFS, path string) int64 {
	t.Helper()
	info, err := disk.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// flip turns over one bit of the byte.
func flip(t *testing.T, disk *vfs.MemFS, path string, at int64) {
	t.Helper()
	storetest.Rewrite(t, disk, path, func(content []byte) []byte {
		content[at] ^= 1 << (at % 8)
		return content
	})
}

// damage changes the store of a journal that is closed.
func damage(t testing.TB, o Options, change func(*pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open(o.Dir, &pebble.Options{FS: o.FS, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// keyOf returns the key of a lane in a table.
func keyOf(table byte, l bridge.Lane) []byte { return l.AppendSubject([]byte{table, byte(l.Kind)}) }

// rowKey returns the key of an event of the outbox under its lane.
func rowKey(l bridge.Lane, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(append(keyOf('o', l), 0), sequence)
}
