package store

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// TestFirstFailureStays: of several failures the first one is told, everybody who waits is let go, and closing returns
// it.
func TestFirstFailureStays(t *testing.T) {
	d := create(t)
	first, second := errors.New("first"), errors.New("second")
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	d.Fail(first)
	d.Fail(second)
	<-d.Failed()
	d.Interrupt()
	if err := d.Close(); !errors.Is(err, first) || errors.Is(err, second) {
		t.Errorf("closed with %v", err)
	}
}

// TestIsolate: a goroutine that the store ends, or that panics, is a failure, and returns to nobody.
func TestIsolate(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		f    func(s *Store) error
		want string
	}{
		"nil":    {func(*Store) error { return nil }, ""},
		"error":  {func(*Store) error { return mine }, "mine"},
		"panics": {func(*Store) error { panic("torn") }, "panic: torn"},
		"fatal":  {func(s *Store) error { storeLog{s}.Fatalf("no %s", "space"); return nil }, "no space"},
		"ends":   {func(s *Store) error { s.backgroundError(mine); return nil }, "could not tidy up: mine"},
		"stuck":  {func(s *Store) error { s.Fail(mine); runtime.Goexit(); return nil }, "mine"},
	} {
		d := create(t)
		err := d.Isolate(func() error { return c.f(d.Store) })
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
		if failed := d.Err() != nil; failed != (c.want != "" && name != "error") {
			t.Errorf("%s: failed: %v", name, d.Err())
		}
		_ = d.Discard()
	}
}

// TestGo: what runs beside the work has ended before the store closes, and fails it if it panics.
func TestGo(t *testing.T) {
	d := create(t)
	ended := false
	d.Go(func() { <-d.closing; ended = true })
	d.close()
	if !ended {
		t.Error("the store closed before")
	}
	d = create(t)
	d.Go(func() { panic("torn") })
	<-d.Failed()
	d.Interrupt()
	if err := d.Close(); err == nil || !strings.Contains(err.Error(), "panic: torn") {
		t.Errorf("closed with %v", err)
	}
}
