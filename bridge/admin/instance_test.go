package admin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"livebridge/bridge/admin"
)

const reported = `# TYPE livebridge_key_uses_total counter
livebridge_key_uses_total{key="5bc8bc2f",kind="stream"} 3
livebridge_key_uses_total{key="aaaaaaaa",kind="record"} 0
# TYPE livebridge_key_last_use_timestamp_seconds gauge
livebridge_key_last_use_timestamp_seconds{key="5bc8bc2f",kind="stream"} 1.7900000005e+09
livebridge_key_last_use_timestamp_seconds{key="aaaaaaaa",kind="record"} 0
# TYPE livebridge_last_callback_timestamp_seconds gauge
livebridge_last_callback_timestamp_seconds{kind="stream"} 1.79e+09
livebridge_last_callback_timestamp_seconds{kind="record"} 0
# TYPE livebridge_callbacks_refused_total counter
livebridge_callbacks_refused_total{code="401",kind="stream",reason="mismatch"} 7
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.78e+09
`

// admins is an admin port that answers every request with one text.
func admins(t *testing.T, status int, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Mon, 21 Sep 2026 14:13:20 GMT") // 1790000000
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestReadInstance: keys with their use, the last callbacks, the rejected ones, the start, and the instance's clock.
func TestReadInstance(t *testing.T) {
	i, err := admin.ReadInstance(t.Context(), http.DefaultClient, admins(t, 200, reported)+"/")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_790_000_000, 0)
	stream, _ := i.Key("stream", "5bc8bc2f")
	record, known := i.Key("record", "aaaaaaaa")
	if stream.Uses != 3 || !stream.LastUse.Equal(at.Add(500*time.Millisecond)) || !known || !record.LastUse.IsZero() {
		t.Errorf("keys %+v", i.Keys)
	}
	if _, known := i.Key("record", "5bc8bc2f"); known {
		t.Error("the key of another kind is found")
	}
	if len(i.LastCallbacks) != 1 || !i.LastCallbacks["stream"].Equal(at) || i.Rejected["stream"]["mismatch"] != 7 {
		t.Errorf("%+v %+v", i.LastCallbacks, i.Rejected)
	}
	if !i.Now.Equal(at) || !i.Started.Equal(time.Unix(1_780_000_000, 0)) {
		t.Errorf("%v %v", i.Now, i.Started)
	}
}

// TestReadNoInstance: what does not answer as an admin port does is named, with what to do.
func TestReadNoInstance(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for want, at := range map[string]string{
		"does not answer": closed.URL, "use the URL of an admin port": "http://a b",
		"404 Not Found; use the URL":       admins(t, 404, ""),
		"no metric of livebridge":          admins(t, 200, "# TYPE go_info gauge\ngo_info 1\n"),
		"something else than metrics":      admins(t, 200, "<html>"),
		"unsupported protocol scheme \"\"": "127.0.0.1",
	} {
		if _, err := admin.ReadInstance(t.Context(), http.DefaultClient, at); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
