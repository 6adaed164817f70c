package tracing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// collector answers requests without a network.
type collector struct {
	answers []int // statuses, one after the other; 0: no connection
	times   []time.Time
	bodies  []string
	headers []http.Header
}

var errNoConnection = errors.New("no connection")

func (c *collector) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status := c.answers[min(len(c.times), len(c.answers)-1)]
	c.times, c.bodies, c.headers = append(c.times, time.Now()), append(c.bodies, string(body)), append(c.headers, r.Header)
	if status == 0 {
		return nil, errNoConnection
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("secret")), Header: http.Header{}}, nil
}

// clientOf returns a client of a collector.
func clientOf(t *testing.T, to *collector, vars ...string) *client {
	t.Helper()
	cfg, err := FromEnvironment(variables(append(vars, "OTEL_TRACES_EXPORTER", "otlp")...))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.http.Transport = to
	return c
}

// TestRepeatedRequests: what a collector that is away or overloaded did not take is posted again, the same bytes after
// longer and longer pauses, until it is taken or there is no time left; what it refuses is not. No error has what the
// collector says, nor a header.
func TestRepeatedRequests(t *testing.T) {
	for _, test := range []struct {
		answers []int
		pauses  string
		fails   string
	}{
		{[]int{200}, "[0s]", ""}, {[]int{202}, "[0s]", ""},
		{[]int{0, 503, 429, 200}, "[0s 1s 3s 7s]", ""},
		{[]int{502, 504, 400}, "[0s 1s 3s]", "refused by the collector: status 400"},
		{[]int{401}, "[0s]", "refused by the collector: status 401"},
		{[]int{503}, "[0s 1s 3s 7s 15s 23s]", "status 503"},
		{[]int{0}, "[0s 1s 3s 7s 15s 23s]", "no connection"},
	} {
		synctest.Test(t, func(t *testing.T) {
			to := &collector{answers: test.answers}
			c := clientOf(t, to, "OTEL_EXPORTER_OTLP_HEADERS", "key=hidden")
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			err := c.UploadTraces(ctx, nil)
			var pauses []time.Duration
			for _, at := range to.times {
				pauses = append(pauses, at.Sub(to.times[0]))
			}
			if fmt.Sprint(pauses) != test.pauses || to.headers[0].Get("Key") != "hidden" {
				t.Errorf("%v: requests after %v, headers %v", test.answers, pauses, to.headers[0])
			}
			if (err == nil) != (test.fails == "") || err != nil && (!strings.Contains(err.Error(), test.fails) ||
				strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("%v: %v", test.answers, err)
			}
		})
	}
}

// TestShutdownDoesNotRepeat: a pause ends with the shutdown, and what is posted after it began is posted once.
func TestShutdownDoesNotRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &collector{answers: []int{0}}
		c, begun := clientOf(t, to), time.Now()
		time.AfterFunc(4*time.Second, c.stopRepeating)
		for range 2 {
			if err := c.UploadTraces(t.Context(), nil); !errors.Is(err, errNoConnection) {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took != 4*time.Second || len(to.times) != 4 {
			t.Errorf("%d requests in %v", len(to.times), took)
		}
	})
}

// failing is an exporter that fails while it has an error.
type failing struct{ err error }

func (f *failing) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return f.err }
func (*failing) Shutdown(context.Context) error                            { return nil }

// TestFailuresAreLogged: the first of a minute, with how many others there were, and that it works again; nobody else
// is told, since OpenTelemetry would print it.
func TestFailuresAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.DebugLevel)
		f := &failing{err: errNoConnection}
		e := &exporter{SpanExporter: f, endpoint: "http://c", log: zap.New(core)}
		export := func() {
			if err := e.ExportSpans(t.Context(), nil); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * time.Second)
		}
		for range 20 {
			export()
		}
		f.err = nil
		export()
		export()
		var got []string
		for _, l := range logs.All() {
			got = append(got, fmt.Sprint(l.Level, " ", l.Message[:9], " ", l.ContextMap()["suppressed"]))
		}
		if want := "[warn spans can 0 warn spans can 11 info spans are <nil>]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
