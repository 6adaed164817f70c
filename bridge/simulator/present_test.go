package simulator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"livebridge/bridge"
)

// TestWholeTwins: a twin has every callback of its stream's push or recording.
func TestWholeTwins(t *testing.T) {
	c := config(bridge.KindStream, bridge.KindRecord)
	c.Twins, c.Forged, c.Repeat = 0.3, 0, 0
	type session struct {
		kind   bridge.Kind
		stream string
		number int64
	}
	events, twins := make(map[session]int), make(map[session]int)
	for _, cb := range planned(c, 20_000) {
		key := session{cb.Kind, strings.TrimSuffix(cb.Stream, twinSuffix), cb.Session}
		if strings.HasSuffix(cb.Stream, twinSuffix) {
			twins[key]++
		} else {
			events[key]++
		}
	}
	if len(twins) < 1000 {
		t.Fatalf("only %d twins", len(twins))
	}
	half := 0
	for key, n := range twins {
		if events[key] != n {
			half++
		}
	}
	if half > 1 { // the last one is cut off
		t.Errorf("%d of %d twins are not whole", half, len(twins))
	}
}

// TestPresentTimestamps: the pushes of the default simulation begin now, and those of a fast one end by now.
func TestPresentTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Unix()
		for _, c := range []struct {
			rate     float64
			streams  int
			count    int
			duration time.Duration
			lag      int64
		}{
			{100, 100, 0, 10 * time.Second, 0}, {1000, 100, 0, 10 * time.Second, 101}, {0, 100, 5000, 0, 51},
			{0, 1, 0, 0, maxLag}, {0, 1, 1_000_000, 0, maxLag},
		} {
			cfg := config(bridge.KindStream)
			cfg.Rate, cfg.Streams, cfg.Count, cfg.Duration = c.rate, c.streams, c.count, c.duration
			s := newSender(&cfg, 0, 1, newStats(cfg.Sent))
			stream, twin := s.base(&Callback{Stream: "room1"}), s.base(&Callback{Stream: "room1" + twinSuffix})
			if stream != now-c.lag || twin != stream {
				t.Errorf("%+v begins %d s ago, its twin %d", c, now-stream, now-twin)
			}
		}
	})
}

// TestNoResponseIsExplained, without the path, which may hold a token.
func TestNoResponseIsExplained(t *testing.T) {
	c := config(bridge.KindSnapshot)
	c.URL, c.Rate, c.Count, c.Forged = "http://127.0.0.1:1", 0, 5, 0
	r, err := Run(t.Context(), c)
	if err != nil || r.Status[0] != 5 || r.NoResponse == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	if text := r.String(); !strings.Contains(text, "connection refused") || strings.Contains(text, "token") {
		t.Error(text)
	}
}
