package store

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/processor"
	"livebridge/bridge/store/storetest"
)

// tabled returns a disk whose lanes lie in a table, and the path of the largest one.
func tabled(t *testing.T) (d *disk, table string) {
	t.Helper()
	d = create(t)
	for n := range 200 {
		d.emit(false, n, "a", "b")
	}
	flushed, err := d.Flush()
	d.must(err)
	<-flushed
	d.close()
	var most int64
	names, err := d.fs.List(d.opts.Dir)
	d.must(err)
	for _, name := range names {
		path := d.fs.PathJoin(d.opts.Dir, name)
		info, err := d.fs.Stat(path)
		d.must(err)
		if strings.HasSuffix(name, ".sst") && info.Size() > most {
			table, most = path, info.Size()
		}
	}
	return d, table
}

// TestDamagedTable: a table whose bytes do not check fails the store, whoever has read it, and the failure names the
// file: nothing is taken for not being there.
func TestDamagedTable(t *testing.T) {
	d, table := tabled(t)
	storetest.Rewrite(t, d.fs, table, func(content []byte) []byte {
		for i := range content[:len(content)/2] {
			content[i] ^= 0x55
		}
		return content
	})
	s, err := open(d.opts)
	if err == nil {
		_, _, err = s.Lane(recording("a", 1).Event.Lane, processor.Moment{})
		if s.Err() == nil || !strings.Contains(s.Err().Error(), "the journal's file") ||
			!strings.Contains(s.Err().Error(), d.fs.PathBase(table)) {
			t.Errorf("the store has not failed: %v", s.Err())
		}
		s.Interrupt()
		_ = s.Close()
	}
	if err == nil {
		t.Error("the lane is read from a damaged table")
	}
}

// TestWordsOfPebble: its errors are logged, of its housekeeping nothing is.
func TestWordsOfPebble(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	o := memory()
	o.Log = zap.New(core)
	s, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	q := queueOptions(vfs.NewMem())
	q.Log = o.Log
	queue, err := OpenQueue(q)
	if err != nil {
		t.Fatal(err)
	}
	before := logs.Len()
	storeLog{s}.Infof("flushed %d tables", 1)
	queueLog{queue}.Infof("flushed %d tables", 1)
	if logs.Len() != before {
		t.Errorf("logged: %v", logs.All()[before:])
	}
	storeLog{s}.Errorf("file %s is odd", "1.sst")
	queueLog{queue}.Errorf("file %s is odd", "2.sst")
	for name, want := range map[string]string{
		"journal store": "file 1.sst is odd", "queue of inputs": "file 2.sst is odd",
	} {
		got := logs.FilterMessage(name).All()
		if len(got) != 1 || got[0].ContextMap()["message"] != want || got[0].Level != zapcore.WarnLevel {
			t.Errorf("%s: %v", name, got)
		}
	}
	s.Interrupt()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := queue.Close(); err != nil {
		t.Error(err)
	}
}

// TestCheckFilter: a filter that selects nothing because of its form is an error before anything is read.
func TestCheckFilter(t *testing.T) {
	id := strings.Repeat("0a", 16)
	for _, good := range []bridge.EventFilter{{}, {ID: id}, {ID: id + "-expired"},
		{Kind: "stream", Lane: "push.example.com/live/a"}} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []bridge.EventFilter{{ID: "0a"}, {ID: strings.Repeat("0g", 16)}, {ID: id + "0a"},
		{Lane: "push.example.com/live/a"}, {Kind: "stream", Lane: "a"}} {
		if err := CheckFilter(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
