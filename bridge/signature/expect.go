package signature

import (
	"maps"
	"slices"

	"livebridge/bridge"
)

// Expectation is how callbacks of one kind, domain and app must be signed.
type Expectation struct {
	Scheme   bridge.Scheme
	Keys     []string // ids, see KeyID
	Unsigned bool     // they are accepted without a signature, whether or not they have one
	Refused  error    // why none is accepted: the domain, or the app; an *Error
}

// Expect returns how callbacks must be signed. domain is an app_id of SparkRTC; app may be Any.
func (r *Ring) Expect(k bridge.Kind, domain, app string) Expectation {
	t := r.tableOf(k)
	e := Expectation{Unsigned: k == bridge.KindSnapshot || r.acceptUnsigned && t.unsigned()}
	set, err := t.choose(domain, app)
	if err != nil && app == Any {
		set, err = t.allOf(domain), nil
	}
	if err == nil && k != bridge.KindRTCRecord {
		err = r.checkDomain(domain)
	}
	if err != nil {
		e.Refused = err
		return e
	}
	e.Scheme = set.scheme
	if k != bridge.KindSnapshot {
		for _, k := range set.list {
			e.Keys = append(e.Keys, k.name.id)
		}
	}
	return e
}

// Domains returns the domains that are allowed and those that have rules of this kind (app_ids of SparkRTC), sorted.
func (r *Ring) Domains(k bridge.Kind) []string {
	all := maps.Clone(r.tableOf(k).listedDomains)
	if all == nil {
		all = make(map[string]bool)
	}
	if k != bridge.KindRTCRecord {
		maps.Copy(all, r.domains)
	}
	return slices.Sorted(maps.Keys(all))
}

// HasKeys reports whether there is any key of a kind.
func (r *Ring) HasKeys(k bridge.Kind) bool { return !r.tableOf(k).unsigned() }
