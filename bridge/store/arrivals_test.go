package store

import (
	"crypto/sha256"
	"fmt"
	"livebridge/bridge"
)

// recording is a callback that comes out at once, in its own lane.
func recording(stream string, n int) *bridge.Arrival {
	data := fmt.Sprintf(`{"n":%d,"stream":%q}`, n, stream)
	sum := sha256.Sum256([]byte(data))
	return &bridge.Arrival{Raw: []byte(data), Event: bridge.Event{
		ID: bridge.ID(sum[:16]), Type: "com.huaweicloud.live.record.start", Scheme: bridge.SchemeHMAC, Data: []byte(data),
		Lane: bridge.Lane{Kind: bridge.KindRecord, Domain: "push.example.com", App: "live", Stream: stream},
	}}
}

// push is a callback of stream status, with a signature.
func push(stream string, session int, phase bridge.Phase) *bridge.Arrival {
	a := recording(stream, session*2+int(phase))
	e := &a.Event
	e.Lane.Kind, e.Session, e.Phase, e.Type = bridge.KindStream, 9e11+bridge.Millis(
		session,
	), phase, "com.huaweicloud.live.stream.publish"
	sum := sha256.Sum256(e.Data)
	a.Signature = bridge.Signature{Sum: [16]byte(sum[16:]), Signed: [16]byte(sum[8:]),
		Expires: bridge.MillisOf(begin) + 3_600_000, Strict: true}
	return a
}

// suspect is a callback for the quarantine.
func suspect(stream string, n int) *bridge.Arrival {
	a := recording(stream, n)
	a.Reason = bridge.ReasonExpired
	return a
}
