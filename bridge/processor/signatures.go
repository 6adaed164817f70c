package processor

import (
	"time"

	"livebridge/bridge"
)

// signaturePeriod is how coarsely signatures are sorted by the end of their validity, which they are forgotten by.
const signaturePeriod = bridge.Millis(10 * time.Minute / time.Millisecond)

func periodOf(expires bridge.Millis) uint64 { return uint64(max(expires, 0) / signaturePeriod) }

func nameOf(s *bridge.Signature) Name {
	return Name{Signature: true, Part: periodOf(s.Expires), Sum: s.Sum}
}

// useOf returns what a signature was first seen over.
func (p *Processor) useOf(s *bridge.Signature) (SignatureUse, bool, error) {
	if u, found := p.pending.signatures[s.Sum]; found {
		return u, true, nil
	}
	return p.view.Name(nameOf(s))
}

// use remembers a good signature until it can no longer be taken. The first event under it stands for it.
func (p *Processor) use(s *bridge.Signature, u SignatureUse, eff *Effects) {
	if _, found := p.pending.signatures[s.Sum]; found {
		return
	}
	p.pending.signatures[s.Sum] = u
	eff.Signatures = append(eff.Signatures, Signature{nameOf(s), u})
}

// forgetSignatures forgets those of all periods that have ended.
func (p *Processor) forgetSignatures(now bridge.Millis, eff *Effects) {
	if ended := periodOf(now); ended > p.signatures {
		p.signatures, eff.SignaturesBelow = ended, ended
	}
}

// tampered reports whether an arrival abuses the signature that this is the use of: other signed fields, or, where the
// scheme is strict and reuse is not allowed, other members beside the signed ones.
func (u SignatureUse) tampered(s *bridge.Signature, id bridge.ID, reuse bool) bool {
	return u.Signed != s.Signed || s.Strict && !reuse && u.ID != id
}
