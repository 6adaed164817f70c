package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// keyChange is one kind whose key changes under load.
type keyChange struct {
	kind    bridge.Kind
	write   func(t *testing.T, keys ...string)   // puts keys into its file
	message func(key string, n int) sentCallback // the n-th callback
	key     atomic.Pointer[string]               // what the provider signs with
	sent    atomic.Int64
	refused atomic.Pointer[string]
}

// load sends callbacks until the test ends it, each signed with the key of that moment.
func (r *keyChange) load(t *testing.T, service string, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		status, text, err := deliver(t.Context(), service, r.message(*r.key.Load(), n))
		if err != nil || status != http.StatusOK {
			output := fmt.Sprint(n, " ", status, " ", text, " ", err)
			r.refused.Store(&output)
			return
		}
		r.sent.Add(1)
	}
}

// shown reports whether the service reports a key of the kind as active.
func (r *keyChange) shown(t *testing.T, service *program, key string) bool {
	t.Helper()
	_, found := service.metrics(t)[fmt.Sprintf("livebridge_key_uses_total{key=%q,kind=%q}", signature.KeyID(key), r.kind)]
	return found
}

// turn gives the service new keys beside the old ones, then the provider, then removes the old ones.
func turn(t *testing.T, service *program, rotations []*keyChange, next func(*keyChange) string) {
	old := make(map[*keyChange]string)
	for _, r := range rotations {
		old[r] = *r.key.Load()
		r.write(t, old[r], next(r))
	}
	for _, r := range rotations {
		key := next(r)
		until(t, "both keys are active", func() bool { return r.shown(t, service, key) })
		r.key.Store(&key)
		before := r.sent.Load()
		until(t, "callbacks come signed with the new key",
			func() bool { return r.sent.Load() > before+20 || r.refused.Load() != nil })
	}
	for _, r := range rotations {
		r.write(t, next(r))
	}
	for _, r := range rotations {
		until(t, "the old key is gone", func() bool { return !r.shown(t, service, old[r]) })
		answered(t, service.listen, r.message(old[r], -1), http.StatusUnauthorized)
	}
}

// TestRotationCostsNothing changes the keys of three kinds under load, each file in one of the ways in which files
// change: no callback is rejected, and the old keys are not accepted afterwards.
func TestRotationCostsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rotations := []*keyChange{
		{kind: bridge.KindStream, // rewritten in place
			write: func(_ *testing.T, keys ...string) { put("stream", strings.Join(keys, "\n")) },
			message: func(key string, n int) sentCallback {
				return streamMessage(key, pushed("live", fmt.Sprint("room", n)), "")
			}},
		{kind: bridge.KindRecord, // replaced by a rename
			write: func(t *testing.T, keys ...string) {
				put("new", "rules:\n- {domain: push.example.com, app: live, kind: record, keys: ["+strings.Join(keys, ", ")+"]}\n")
				if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "rules")); err != nil {
					t.Error(err)
				}
			},
			message: func(key string, n int) sentCallback {
				return recordMessage(key, bridge.SchemeHMAC,
					signature.Claim{Event: "RECORD_START", Domain: "push.example.com", App: "live",
						Stream: fmt.Sprint("room", n), Timestamp: soon()}, "")
			}},
		{kind: bridge.KindRTCRecord, // behind a link that is swapped
			write: func(t *testing.T, keys ...string) { swap(t, dir, "rtc", strings.Join(keys, "\n")) },
			message: func(key string, n int) sentCallback {
				return rtcMessage(key, fmt.Sprint(n), fmt.Sprint(time.Now().Unix()),
					fmt.Sprintf(`{"event_type":"RECORD_FILE_COMPLETE","app_id":"a","room_id":"r","stream_name":"s%d"}`, n))
			}},
	}
	key := func(r *keyChange, n int) string { return strings.Repeat(fmt.Sprint(r.kind.String()[:1], n), 20) }
	for _, r := range rotations {
		first := key(r, 0)
		r.key.Store(&first)
		r.write(t, first)
	}
	service := launch(t, t.TempDir(), prefix+"STREAM_KEY=", prefix+"STREAM_KEY_FILE="+filepath.Join(dir, "stream"),
		prefix+"KEYS_FILE="+filepath.Join(dir, "rules"), prefix+"RTC_KEY_FILE="+filepath.Join(dir, "..data", "rtc"))
	stop := make(chan struct{})
	var loads sync.WaitGroup
	for _, r := range rotations {
		loads.Go(func() { r.load(t, service.listen, stop) })
	}
	for round := 1; round <= 2; round++ {
		turn(t, service, rotations, func(r *keyChange) string { return key(r, round) })
	}
	close(stop)
	loads.Wait()
	for _, r := range rotations {
		if why := r.refused.Load(); why != nil {
			t.Errorf("%v: a callback was refused: %s", r.kind, *why)
		}
		t.Logf("%v: %d callbacks", r.kind, r.sent.Load())
	}
}
