package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func get(t *testing.T, ready error, path string) *httptest.ResponseRecorder {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "livebridge_things_total", Help: "Things."}))
	s := New(Config{Version: "v<1>", Ready: func() error { return ready }, Pending: func() int { return 7 }, Gatherer: registry})
	w := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

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
		{"/", nil, 200, "v&lt;1&gt;"},
		{"/", full, 200, "not accepted: journal is full"},
		{"/", nil, 200, "in the outbox: 7"},
		{"/debug/pprof/", nil, 404, ""},
	} {
		if w := get(t, c.ready, c.path); w.Code != c.status || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}
