package store

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"livebridge/bridge"
	"livebridge/bridge/processor"
)

// TestCreated: a store begins with its format and the floor of its creation, for a service alone.
func TestCreated(t *testing.T) {
	for _, access := range []Access{ReadOnly, ReadWrite} {
		o := memory()
		db, err := pebble.Open(o.Dir, &pebble.Options{FS: o.FS, FormatMajorVersion: pebble.FormatNewest})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		o.Access = access
		if _, err := open(o); !errors.Is(err, ErrNoJournal) || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("access %d: %v", access, err)
		}
		o.Access = Service
		s, err := open(o)
		if err != nil {
			t.Fatalf("a service: %v", err)
		}
		if c := s.Counters(); c.Floor != processor.FirstFloor(o.Created) || s.Committed() != 0 {
			t.Errorf("it begins with %+v", c)
		}
		s.Interrupt()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExists: there is a store where one was created, and nowhere else.
func TestExists(t *testing.T) {
	o := memory()
	if found, err := Exists(o.FS, o.Dir); found || err != nil {
		t.Errorf("before: %v, %v", found, err)
	}
	d := create(t)
	d.close()
	if found, err := Exists(d.fs, d.opts.Dir); !found || err != nil {
		t.Errorf("after: %v, %v", found, err)
	}
}

// TestFormats: another format is refused with a word on what to do.
func TestFormats(t *testing.T) {
	for _, format := range []string{"livebridge-journal 2", "livebridge-journal 30", ""} {
		d := create(t)
		d.must(d.db.Set([]byte{tableVersion}, []byte(format), pebble.Sync))
		d.close()
		if _, err := open(d.opts); err == nil || !strings.Contains(err.Error(), "unsupported journal format") {
			t.Errorf("%q: %v", format, err)
		}
	}
}

// TestLocked: a directory that is in use is refused, and is free again after each way to let go of it.
func TestLocked(t *testing.T) {
	o := memory()
	o.Dir, o.FS = t.TempDir(), Disk()
	for range 2 {
		s, err := Lock(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(o); !errors.Is(err, ErrInUse) {
			t.Errorf("twice: %v", err)
		}
		if err := s.Discard(); err != nil {
			t.Fatal(err)
		}
		if s, err = open(o); err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(o); !errors.Is(err, ErrInUse) {
			t.Errorf("beside an open one: %v", err)
		}
		if err := s.Discard(); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		return // may lock everything
	}
	if err := os.Chmod(o.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(o); err == nil || errors.Is(err, ErrInUse) {
		t.Errorf("without the right to: %v", err)
	}
}

// TestCommitMarker: a store that has less than its marker says is damaged; a marker that is not there, or was cut off,
// says nothing.
func TestCommitMarker(t *testing.T) {
	for name, c := range map[string]struct {
		marker  func(last uint64) []byte
		damaged bool
	}{
		"exact":   {markerValue, false},
		"older":   {func(last uint64) []byte { return markerValue(last - 1) }, false},
		"younger": {func(last uint64) []byte { return markerValue(last + 1) }, true},
		"cut off": {func(last uint64) []byte { return markerValue(last + 1)[:11] }, false},
		"empty":   {func(uint64) []byte { return []byte{} }, false},
		"damaged": {func(last uint64) []byte { return append(binary.BigEndian.AppendUint64(nil, last+1), 1, 2, 3, 4) },
			false},
		"longer":        {func(last uint64) []byte { return append(markerValue(last+1), 0) }, false},
		"not there":     {nil, false},
		"the last ever": {func(uint64) []byte { return markerValue(math.MaxUint64) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := create(t)
			d.emit(true, 1, "a")
			last := d.Committed()
			d.close()
			path := d.fs.PathJoin(d.opts.Dir, MarkerName)
			d.must(d.fs.Remove(path))
			if c.marker != nil {
				f, err := d.fs.Create(path, vfs.WriteCategoryUnspecified)
				d.must(err)
				_, err = f.Write(c.marker(last))
				d.must(errors.Join(err, f.Close()))
			}
			s, err := open(d.opts)
			if damaged := err != nil && strings.Contains(err.Error(), "restore DATA_DIR, or remove"); damaged != c.damaged {
				t.Fatalf("opened: %v", err)
			}
			if err != nil {
				return
			}
			if got, err := s.readMarker(); err != nil || got != s.Committed() {
				t.Errorf("after the start the marker says %d, %v; the last commit is %d", got, err, s.Committed())
			}
			s.Interrupt()
			d.must(s.Close())
		})
	}
}

// TestMarkerFollows: the marker names each commit once it is on disk, and no operator's look changes it.
func TestMarkerFollows(t *testing.T) {
	d := create(t)
	for n := range 3 {
		d.emit(true, n, "a")
		if got, err := d.readMarker(); err != nil || got != d.Committed() {
			t.Errorf("the marker says %d, %v; the last commit is %d", got, err, d.Committed())
		}
	}
	d.close()
	d.must(d.fs.Remove(d.fs.PathJoin(d.opts.Dir, MarkerName)))
	d.opts.Access = ReadOnly
	d.open()
	d.close()
	if _, err := d.fs.Stat(d.fs.PathJoin(d.opts.Dir, MarkerName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a reader has written a marker: %v", err)
	}
}

// noNumbers is a disk that does not know how large it is; brokenDisk one that cannot be asked.
type noNumbers struct{ vfs.FS }

func (noNumbers) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, vfs.ErrUnsupported
}

type brokenDisk struct{ vfs.FS }

func (brokenDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, os.ErrPermission
}

func TestUsage(t *testing.T) {
	if free, size, err := Usage(noNumbers{}, "x"); free != math.MaxUint64 || size != 0 || err != nil {
		t.Errorf("without numbers: %d of %d, %v", free, size, err)
	}
	if _, _, err := Usage(brokenDisk{}, "x"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("of a broken disk: %v", err)
	}
	if free, size, err := Usage(Disk(), t.TempDir()); err != nil || free == 0 || size < free {
		t.Errorf("of this machine: %d of %d, %v", free, size, err)
	}
}

// TestMemTables: the store's own files fit a small volume, and are as large as usual on one that is large or unknown.
func TestMemTables(t *testing.T) {
	const free = 512 << 20
	for total, want := range map[uint64]uint64{
		0: 16 << 20, free: 16 << 20, free + 1: 1 << 20, free + 44<<20: 1 << 20, free + 88<<20: 2 << 20, 1 << 40: 16 << 20,
	} {
		if got := memTableSize(total, free); got != want {
			t.Errorf("of %d bytes: %d, want %d", total, got, want)
		}
	}
}

// TestFilters: what was seen is known at once, in this run and in the next, before the filters are read and after.
func TestFilters(t *testing.T) {
	d := create(t)
	a := push("a", 1, bridge.PhasePublish)
	d.arrive(true, a)
	knows := func(when string) {
		t.Helper()
		id := processor.Name{Part: 1, Sum: a.Event.ID}
		if _, found, err := d.Name(id); !found || err != nil {
			t.Errorf("%s: the identity is known: %v, %v", when, found, err)
		}
		sum := processor.Name{Signature: true, Part: uint64(a.Signature.Expires) / 600_000, Sum: a.Signature.Sum}
		if use, found, err := d.Name(sum); !found || err != nil || use.ID != a.Event.ID || use.Signed != a.Signature.Signed {
			t.Errorf("%s: the signature's use is %+v, %v, %v", when, use, found, err)
		}
		id.Sum[0]++
		if _, found, err := d.Name(id); found || err != nil {
			t.Errorf("%s: another identity is known: %v, %v", when, found, err)
		}
	}
	knows("in this run")
	d.restart(true)
	knows("in the next")
	d.background.Wait()
	if !d.FiltersLoaded() {
		t.Error("the filters are not read")
	}
	knows("with its filters")
	d.close()
}

// TestDamagedName: a name that cannot be read fails the store, and is not taken for one that was never seen.
func TestDamagedName(t *testing.T) {
	for _, table := range []byte{tableIdentity, tableSignature} {
		d := create(t)
		d.background.Wait()
		d.must(d.db.Set([]byte{table, 1, 2}, nil, pebble.Sync))
		d.close()
		s, err := open(d.opts)
		d.must(err)
		s.LoadFilters()
		s.background.Wait()
		if err := s.Err(); s.FiltersLoaded() || err == nil || !strings.Contains(err.Error(), "of a name has 3 bytes") {
			t.Errorf("table %c: failed with %v", table, err)
		}
		_ = s.Discard()
	}
}
