package signature_test

import (
	"errors"
	"slices"
	"testing"

	"livebridge/bridge"
	"livebridge/bridge/signature"
)

// TestExpect: the keys, the scheme and the refusals that callbacks of a domain and app meet.
func TestExpect(t *testing.T) {
	ring := probeRing(t, func(c *signature.Config) {
		c.Domains = []string{"push.example.com", "Other.example.com"}
		c.Rules = []signature.Rule{
			{Kind: bridge.KindRecord, Domain: "push.example.com", App: "vod", Keys: []string{otherKey},
				Scheme: bridge.SchemeMD5},
			{Kind: bridge.KindRTCRecord, Domain: "app1", App: "*", Keys: []string{otherKey}},
		}
	})
	id, other := signature.KeyID(key), signature.KeyID(otherKey)
	for _, tt := range []struct {
		kind        bridge.Kind
		domain, app string
		scheme      bridge.Scheme
		keys        []string
		reason      string
	}{
		{bridge.KindStream, "push.example.com", "*", bridge.SchemeHMAC, []string{other, id}, ""},
		{bridge.KindStream, "third.example.com", "*", 0, nil, signature.ReasonDomain},
		{bridge.KindRecord, "push.example.com", "vod", bridge.SchemeMD5, []string{other}, ""},
		{bridge.KindRecord, "push.example.com", "live", 0, nil, signature.ReasonApp},
		{bridge.KindRecord, "other.example.com", "live", bridge.SchemeHMAC, []string{id}, ""},
		{bridge.KindRTCRecord, "app1", "*", bridge.SchemeRTC, []string{other}, ""},
		{bridge.KindRTCRecord, "app2", "*", bridge.SchemeRTC, []string{id}, ""},
		{bridge.KindSnapshot, "push.example.com", "*", 0, nil, ""},
	} {
		got := ring.Expect(tt.kind, tt.domain, tt.app)
		var e *signature.Error
		if errors.As(got.Refused, &e) != (tt.reason != "") || e != nil && e.Reason != tt.reason {
			t.Errorf("%+v: %v", tt, got.Refused)
		}
		if got.Scheme != tt.scheme || !slices.Equal(got.Keys, tt.keys) || got.Unsigned != (tt.kind == bridge.KindSnapshot) {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
	if got := ring.Expect(bridge.KindRecord, "push.example.com", "*"); !slices.Equal(got.Keys, []string{other}) {
		t.Errorf("any app: %+v", got)
	}
	if got := ring.Domains(bridge.KindRecord); !slices.Equal(got, []string{"other.example.com", "push.example.com"}) {
		t.Errorf("domains %v", got)
	}
	if got := ring.Domains(bridge.KindRTCRecord); !slices.Equal(got, []string{"app1"}) {
		t.Errorf("app_ids %v", got)
	}
	if !ring.HasKeys(bridge.KindStream) || ring.HasKeys(bridge.KindSnapshot) {
		t.Error("HasKeys")
	}
}

// TestExpectUnsigned: without a key of the kind, and only if that is allowed.
func TestExpectUnsigned(t *testing.T) {
	for _, accept := range []bool{false, true} {
		ring := probeRing(t, func(c *signature.Config) { c.Record, c.AcceptUnsigned = nil, accept })
		if got := ring.Expect(bridge.KindRecord, "push.example.com", "live"); got.Unsigned != accept || len(got.Keys) > 0 {
			t.Errorf("%v: %+v", accept, got)
		}
		if got := ring.Expect(bridge.KindStream, "push.example.com", "live"); got.Unsigned {
			t.Errorf("%v: %+v", accept, got)
		}
	}
}
