package keyring_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"livebridge/bridge"
	"livebridge/bridge/keyring"
	"livebridge/bridge/signature"
)

// reloadTime is how soon a new content must be active.
const reloadTime = 2 * time.Second

// keyOf is a key, by a letter.
func keyOf(letter string) string { return strings.Repeat(letter, 40) }

// ids are the ids of the keys of these letters, joined.
func ids(letters string) string {
	var all []string
	for _, l := range strings.Split(letters, "") {
		all = append(all, signature.KeyID(keyOf(l)))
	}
	return strings.Join(all, " ")
}

// harness is a keyring on files of a temporary directory.
type harness struct {
	t        *testing.T
	dir      string
	log      *observer.ObservedLogs
	registry *prometheus.Registry
	*keyring.Keyring

	mu    sync.Mutex
	rings []*signature.Ring
}

// applied returns the rings that were applied.
func (s *harness) applied() []*signature.Ring {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rings)
}

func (s *harness) apply(r *signature.Ring) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rings = append(s.rings, r)
}

func (s *harness) path(name string) string { return filepath.Join(s.dir, name) }

func (s *harness) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *harness) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// watch opens the files and watches them until the test ends; call it inside of a bubble.
func (s *harness) watch(cfg signature.Config, files ...keyring.File) {
	s.t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	s.log, s.registry = logs, prometheus.NewRegistry()
	for i := range files {
		files[i].Path = s.path(files[i].Path)
	}
	var err error
	s.Keyring, err = keyring.Open(keyring.Options{Config: cfg, Files: files, Log: zap.New(core), Registerer: s.registry})
	s.must(err)
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Watch(ctx, s.apply)
	}()
	s.t.Cleanup(func() { stop(); <-ended })
}

// expect waits for as long as a change may take and compares the ids of the active keys.
func (s *harness) expect(about, letters string) {
	s.t.Helper()
	time.Sleep(reloadTime)
	synctest.Wait()
	var got []string
	for _, u := range s.Ring().Keys() {
		got = append(got, u.ID)
	}
	if strings.Join(got, " ") != ids(letters) {
		s.t.Errorf("%s: keys %q, want %q", about, got, ids(letters))
	}
	if all := s.applied(); len(all) > 0 && all[len(all)-1] != s.Ring() {
		s.t.Errorf("%s: the active ring was not applied", about)
	}
}

// metric returns a value, by name and label values.
func (s *harness) metric(name string, labels ...string) float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	s.must(err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == name && strings.Join(values, ",") == strings.Join(labels, ",") {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	s.t.Errorf("there is no metric %s %q", name, labels)
	return -1
}

func bubble(t *testing.T, f func(s *harness)) {
	synctest.Test(t, func(t *testing.T) { f(&harness{t: t, dir: t.TempDir()}) })
}

func streamFile(name string) keyring.File {
	return keyring.File{Setting: "STREAM_KEY_FILE", Path: name, Kind: bridge.KindStream}
}
