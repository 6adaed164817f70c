package journal

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
	"livebridge/bridge/store"
)

// unreadable is a disk on which the commit marker cannot be opened.
type unreadable struct {
	vfs.FS
	err error
}

func (u unreadable) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if strings.HasSuffix(name, store.MarkerName) {
		return nil, u.err
	}
	return u.FS.Open(name, opts...)
}

// TestUnreadableMarker: a marker that is there and cannot be opened would have told of a loss: the journal is not
// opened.
func TestUnreadableMarker(t *testing.T) {
	o := memory()
	j := open(t, o)
	add(t, j, push("a", 9e11, bridge.PhasePublish))
	closeJournal(t, j)
	o.Registerer = prometheus.NewRegistry()
	denied := errors.New("permission denied")
	o.FS = unreadable{o.FS, denied}
	if _, err := Open(o); !errors.Is(err, denied) || !strings.Contains(err.Error(), store.MarkerName) {
		t.Errorf("Open: %v", err)
	}
}

// TestCloseTwice: a second Close returns what the first one did.
func TestCloseTwice(t *testing.T) {
	j := open(t, memory())
	closeJournal(t, j)
	closeJournal(t, j)
	failed := errors.New("broken")
	j = open(t, memory())
	j.store.Fail(failed)
	for range 2 {
		if err := j.Close(); !errors.Is(err, failed) {
			t.Errorf("Close: %v", err)
		}
	}
}
