package ingress_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"livebridge/bridge"
	"livebridge/bridge/callback"
	"livebridge/bridge/signature"
)

// sink is a ResponseWriter that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header               { return s.header }
func (s *sink) Write(p []byte) (int, error)       { return len(p), nil }
func (s *sink) WriteHeader(status int)            { s.status = status }
func (s *sink) WriteString(p string) (int, error) { return len(p), nil }

func (m *memoryJournal) reset() { m.arrivals, m.raws = m.arrivals[:0], m.raws[:0] }

func run(b *testing.B, h http.Handler, after func()) {
	text := good()
	body := strings.NewReader(text)
	r := post("/live/stream", text)
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		r.Body = io.NopCloser(body)
		w.status = 200
		h.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatal(w.status)
		}
		after()
	}
}

// BenchmarkHandler is a whole request but for the connection and the journal.
func BenchmarkHandler(b *testing.B) {
	s := newHarness(b, nil)
	run(b, s.Handler(), s.journal.reset)
}

// BenchmarkBare is what any handler has to do: read, parse strictly, check the HMAC, make the event, answer.
func BenchmarkBare(b *testing.B) {
	e := echo.New()
	e.POST("/live/stream", func(c echo.Context) error {
		body, err := io.ReadAll(io.LimitReader(c.Request().Body, 64<<10))
		if err != nil {
			return err
		}
		cb, err := callback.Decode(bridge.KindStream, body)
		if err != nil {
			return err
		}
		defer cb.Release()
		want := signature.Sign(bridge.SchemeHMAC, key,
			signature.Claim{Kind: bridge.KindStream, Event: cb.EventName, Domain: cb.Domain,
				App: cb.App, Stream: cb.Stream, Timestamp: cb.AuthTimestamp})
		if want != cb.AuthSign {
			return echo.ErrUnauthorized
		}
		cb.Event(callback.Policy{}, callback.Nonce{}, bridge.MillisOf(clock()))
		return c.JSONBlob(http.StatusOK, []byte(`{"status":1,"result":"success"}`))
	})
	run(b, e, func() {})
}
