package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestOpenMetrics: scrapers that ask for it get it, with its end; the others get the text format.
func TestOpenMetrics(t *testing.T) {
	for accept, want := range map[string]string{"": "text/plain",
		"application/openmetrics-text;version=1.0.0": "application/openmetrics-text"} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		port(nil).http.Handler.ServeHTTP(w, r)
		whole := strings.HasSuffix(w.Body.String(), "# EOF\n")
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, want) || whole != (accept != "") {
			t.Errorf("%q gets %q: %s", accept, got, w.Body)
		}
	}
}

// TestShutdownClosesStatus: responses that go on for ever do not hold it up.
func TestShutdownClosesStatus(t *testing.T) {
	s := port(nil)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.cfg.Status.(*echoed).closed:
	case <-time.After(20 * time.Second):
		t.Error("the status page was not closed")
	}
}

// port is an admin port that is ready or not.
func port(ready error) *Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "livebridge_things_total", Help: "Things."}))
	return New(Config{Ready: func() error { return ready }, Gatherer: registry, Status: newEchoed()})
}

func get(t *testing.T, ready error, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	port(ready).http.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// echoed is a Status that answers with the path.
type echoed struct{ closed chan struct{} }

func newEchoed() *echoed { return &echoed{make(chan struct{})} }

func (*echoed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusTeapot)
	fmt.Fprint(w, "status has ", r.URL.Path)
}

func (e *echoed) Close() { close(e.closed) }

func TestPort(t *testing.T) {
	full := errors.New("journal is full")
	for _, c := range []struct {
		path   string
		ready  error
		status int
		holds  string
	}{
		{"/livez", full, 200, "ok"},
		{"/readyz", nil, 200, "ok"},
		{"/readyz", full, 503, "journal is full"},
		{"/metrics", nil, 200, "livebridge_things_total 0"},
		{"/schemas/stream.json", nil, 200, `"urn:livebridge:schema:stream:1"`},
		{"/schemas/asyncapi.json", nil, 200, `"asyncapi"`},
		{"/schemas/missing.json", nil, 404, ""},
		{"/", nil, 418, "status has /"},
		{"/api/v1/status", nil, 418, "status has /api/v1/status"},
		{"/debug/pprof/", nil, 418, "status has /debug/pprof/"},
	} {
		if w := get(t, c.ready, c.path); w.Code != c.status || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}
