package processortest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"livebridge/bridge"
)

// Push is a callback of stream status; equal arguments make an equal id.
func Push(stream string, session bridge.Millis, phase bridge.Phase) *bridge.Arrival {
	word := map[bridge.Phase]string{bridge.PhasePublish: "publish", bridge.PhaseDone: "publish_done"}[phase]
	data := fmt.Sprintf(`{"event":%q,"publish_timestamp":%d,"stream":%q}`, word, session, stream)
	sum := sha256.Sum256([]byte(data))
	return &bridge.Arrival{
		Event: bridge.Event{
			ID: bridge.ID(sum[:16]), Type: "com.huaweicloud.live.stream." + word,
			Lane:    bridge.Lane{Kind: bridge.KindStream, Domain: "push.example.com", App: "live", Stream: stream},
			Session: session, Phase: phase, Scheme: bridge.SchemeHMAC, Data: []byte(data),
		},
		Signature: bridge.Signature{
			Sum:     [16]byte(sum[16:]),
			Signed:  [16]byte(sum[8:]),
			Expires: session + 3_600_000,
			Strict:  true,
		},
		Raw: []byte(data),
	}
}

// Suspect is a callback for the quarantine, under a signature of its own choosing; 0: under none.
func Suspect(stream string, sum int, reason bridge.Reason) *bridge.Arrival {
	a := Push(stream, 1.7e12, bridge.PhasePublish)
	a.Reason, a.Signature = reason, bridge.Signature{}
	if sum != 0 {
		a.Signature = bridge.Signature{Sum: [16]byte{byte(sum), byte(sum >> 8)}}
	}
	return a
}

// Suspects are several, each under its own signature; a name is the stream.
func Suspects(reason bridge.Reason, names string) (all []*bridge.Arrival) {
	for _, name := range strings.Fields(names) {
		a := Suspect(name, 0, reason)
		a.Signature.Sum = [16]byte(a.Event.ID)
		all = append(all, a)
	}
	return all
}
