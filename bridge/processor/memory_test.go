package processor

import "livebridge/bridge"

// everyMemory has one of everything.
func everyMemory(e *bridge.Event) *Memory {
	l := LaneState{Name: bridge.Lane{Kind: bridge.KindStream, Domain: "d", App: "a", Stream: "s"}, Touched: 7,
		Sessions: []Session{{Session: 5, Started: 6}}}
	l.State.Sequence, l.State.Last.Session, l.State.Last.Phase = 9, 5, bridge.PhaseDone
	suspect := *e
	suspect.Reason = bridge.ReasonTampered
	return &Memory{
		ID: bridge.ID{3}, Floor: 8, Lanes: []LaneState{l, {Name: e.Lane}}, Identities: []bridge.ID{{1}, {2}},
		Signatures: []Signature{{Name: Name{Signature: true, Part: 4, Sum: [16]byte{5}},
			Use: SignatureUse{Signed: [16]byte{6}, ID: bridge.ID{7}}}},
		Quarantined: []RememberedSuspect{{Sum: [16]byte{1}, Raw: []byte("raw"), Event: &suspect}},
		DeadLetters: []DeadLetter{{Event: e, Reason: bridge.RejectionTooLarge, Detail: "2 MB"}},
	}
}
