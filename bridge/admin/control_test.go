package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
)

// fakeOperator remembers what it was asked.
type fakeOperator struct {
	calls []string
	err   error
}

func (o *fakeOperator) record(format string, args ...any) {
	o.calls = append(o.calls, fmt.Sprintf(format, args...))
}

func (o *fakeOperator) List(s bridge.ReviewQueue, q bridge.Query) ([]bridge.Entry, error) {
	o.record("list %s %+v", s, q)
	return []bridge.Entry{{Number: 7, Reason: "expired", Raw: []byte{0xff, 0}}}, o.err
}

func (o *fakeOperator) Release(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	o.record("release %s %v", s, numbers)
	return []bridge.Outcome{{Number: 7}, {Number: 8, Problem: "gone"}}, o.err
}

func (o *fakeOperator) Purge(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	o.record("purge %s %v", s, numbers)
	return nil, o.err
}

func (o *fakeOperator) Inspect() (bridge.JournalStats, error) {
	return bridge.JournalStats{Commit: 3}, o.err
}

func (o *fakeOperator) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	o.record("replay %+v", q)
	return bridge.ReplayResult{Replayed: 2, Cursor: []byte{1}, UpTo: 9}, o.err
}

func (o *fakeOperator) Deliveries(emissions []bridge.Emission) ([]bridge.Delivery, error) {
	o.record("deliveries %+v", emissions)
	return []bridge.Delivery{{State: bridge.DeliveryDeadLetter, DeadLetter: 18, Reason: "too large"}}, o.err
}

func (o *fakeOperator) History(q bridge.HistoryQuery) (bridge.HistoryPage, error) {
	o.record("history %+v", q)
	return bridge.HistoryPage{Events: []bridge.Fate{{State: bridge.StatePublished, Sequence: 1}}}, o.err
}

func (o *fakeOperator) Unpublished(q bridge.HistoryQuery) (bridge.HistoryPage, error) {
	o.record("unpublished %+v", q)
	return bridge.HistoryPage{Events: []bridge.Fate{{State: bridge.StateHeld}}}, o.err
}

// control serves an operator interface in a new directory until the test ends.
func control(t *testing.T, o Operator) (dir string, logs *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	dir = t.TempDir()
	c, err := NewControl(dir, o, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(c.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left are %v, %v", left, err)
		}
	})
	return dir, logs
}

// dialed connects to the control socket until the test ends.
func dialed(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := DialControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestControl: everything that the client is asked reaches the operator interface, and its answer comes back.
func TestControl(t *testing.T) {
	o := &fakeOperator{}
	dir, logs := control(t, o)
	c, err := DialControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	q := bridge.Query{After: 1 << 60, Limit: 3, Reason: "a b&c", Lane: "x/%2F/y", Raw: true}
	entries, err := c.List(bridge.QuarantineQueue, q)
	if err != nil || len(entries) != 1 || string(entries[0].Raw) != "\xff\x00" {
		t.Errorf("%+v, %v", entries, err)
	}
	outcomes, err := c.Release(bridge.DeadLetterQueue, []uint64{7, 8})
	if err != nil || !reflect.DeepEqual(outcomes, []bridge.Outcome{{Number: 7}, {Number: 8, Problem: "gone"}}) {
		t.Errorf("%+v, %v", outcomes, err)
	}
	if outcomes, err = c.Purge(bridge.QuarantineQueue, []uint64{9}); err != nil || len(outcomes) != 0 {
		t.Errorf("%+v, %v", outcomes, err)
	}
	if i, err := c.Inspect(); err != nil || i.Commit != 3 {
		t.Errorf("%+v, %v", i, err)
	}
	d9, err := c.Deliveries([]bridge.Emission{{Kind: "stream", Lane: "a/b/c", Sequence: 9}})
	if err != nil || len(d9) != 1 || d9[0].State != bridge.DeliveryDeadLetter || d9[0].DeadLetter != 18 ||
		d9[0].Reason != "too large" {
		t.Errorf("deliveries: %+v, %v", d9, err)
	}
	if _, err := c.Deliveries(make([]bridge.Emission, bridge.PageMax+1)); err == nil ||
		!strings.Contains(err.Error(), "500 are allowed") {
		t.Errorf("too many deliveries: %v", err)
	}
	r, err := c.Replay(bridge.ReplayQuery{Kind: "stream", Lane: "a/b/c", Cursor: []byte{0}, UpTo: 4})
	if err != nil || r.Replayed != 2 || r.UpTo != 9 || len(r.Cursor) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	want := []string{"list quarantine " + fmt.Sprintf("%+v", q), "release deadletters [7 8]", "purge quarantine [9]",
		"deliveries [{Kind:stream Lane:a/b/c Sequence:9}]", "replay {Kind:stream Lane:a/b/c History:<nil> Cursor:[0] UpTo:4}"}
	if !reflect.DeepEqual(o.calls, want) {
		t.Errorf("asked was %q", o.calls)
	}
	if logs.Len() != 3 {
		t.Errorf("%d orders are in the log", logs.Len())
	}
	o.err = bridge.ErrStopping
	if _, err := c.Inspect(); err == nil || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("the error is %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestControlIsPrivate: the socket is for the user of the service alone.
func TestControlIsPrivate(t *testing.T) {
	dir, _ := control(t, &fakeOperator{})
	info, err := os.Stat(filepath.Join(dir, socket))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestControlRefuses(t *testing.T) {
	o := &fakeOperator{}
	dir, _ := control(t, o)
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn,
		error) {
		return net.Dial("unix", filepath.Join(dir, socket))
	}}}
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/quarantine?after=-1", "", 400},
		{"GET", "/quarantine?limit=many", "", 400},
		{"GET", "/elsewhere", "", 404},
		{"POST", "/quarantine/release", "{", 400},
		{"POST", "/quarantine/release", "[-1]", 400},
		{"POST", "/quarantine/release", "[" + strings.Repeat("1,", bridge.PageMax) + "1]", 400},
		{"POST", "/quarantine/purge", "[" + strings.Repeat(" ", maxCommandBytes) + "1]", 400},
		{"GET", "/quarantine/purge", "", 405},
		{"POST", "/journal/replay", "7", 400},
	} {
		r, err := http.NewRequest(tt.method, "http://control"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a.Body)
		_ = a.Body.Close()
		if a.StatusCode != tt.status {
			t.Errorf("%s %s: %d", tt.method, tt.path, a.StatusCode)
		}
	}
	if len(o.calls) != 0 {
		t.Errorf("asked was %q", o.calls)
	}
}

func TestNoService(t *testing.T) {
	dir := t.TempDir()
	if _, err := DialControl(dir); !errors.Is(err, ErrNoService) {
		t.Errorf("without a socket: %v", err)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socket), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := DialControl(dir); !errors.Is(err, ErrNoService) {
		t.Errorf("on a socket that was left: %v", err)
	}
	c, err := NewControl(dir, &fakeOperator{}, zap.NewNop())
	if err != nil {
		t.Fatalf("in the place of one that was left: %v", err)
	}
	if err := c.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}
