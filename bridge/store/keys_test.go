package store

import (
	"livebridge/bridge"
	"testing"

	"pgregory.net/rapid"
)

func TestLaneKeysRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := bridge.Lane{
			Kind:   bridge.KindRecord,
			Domain: rapid.String().Draw(t, "domain"),
			App:    rapid.String().Draw(t, "app"),
			Stream: rapid.String().Draw(t, "stream"),
		}
		if got, err := laneOfKey(laneKey(nil, l)); err != nil || got != l {
			t.Fatalf("%+v became %+v, %v", l, got, err)
		}
	})
}
