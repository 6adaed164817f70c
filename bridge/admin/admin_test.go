package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func get(t *testing.T, ready error, path string) *httptest.ResponseRecorder {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "livebridge_things_total", Help: "Things."}))
	s := New(Config{Ready: func() error { return ready }, Gatherer: registry, Status: &echoed{}})
	w := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// echoed is a Status that answers with the path.
type echoed struct{ closed atomic.Bool }

func (*echoed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusTeapot)
	fmt.Fprint(w, "status has ", r.URL.Path)
}

func (e *echoed) Close() { e.closed.Store(true) }

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
