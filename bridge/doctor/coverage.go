package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/provider"
	"livebridge/bridge/signature"
)

// coverage reports domains without a callback, and with several where the provider has one.
func (f *findings) coverage(e Expected, s Seen) {
	for _, domain := range s.Domains {
		for _, k := range []bridge.Kind{bridge.KindStream, bridge.KindRecord} {
			if e.Ring.HasKeys(k) && len(s.Failures) == 0 && len(callbacksOf(s.Registered, k, domain)) == 0 {
				f.add(Warning, CheckUnregistered, domain, fmt.Sprintf("no %v callback is registered, and there is a key for it", k),
					fmt.Sprintf("register one: livebridge callbacks %v --help", k))
			}
		}
		if several := callbacksOf(s.Registered, bridge.KindRecord, domain); len(several) > 1 {
			f.add(Warning, CheckSeveral, domain, "several recording callbacks are registered: "+strings.Join(several, ", ")+
				"; an exact app wins over *", "keep one for each app, or one for all apps with the same URL and key")
		}
	}
}

// callbacksOf returns the apps of the callbacks of a kind and domain.
func callbacksOf(all []provider.Callback, k bridge.Kind, domain string) (apps []string) {
	for i := range all {
		if c := &all[i]; c.Kind == k && strings.EqualFold(c.Domain, domain) {
			apps = append(apps, c.App)
		}
	}
	return apps
}

// arrivals reports when a callback of each kind that is registered last arrived, and those that were rejected for their
// signature: the only trace of a wrong key where the provider does not tell it.
func (f *findings) arrivals(s Seen) {
	if len(s.Instances) == 0 {
		return
	}
	for _, k := range bridge.Kinds() {
		if !slices.ContainsFunc(s.Registered, func(c provider.Callback) bool { return c.Kind == k && c.URL != "" }) {
			continue
		}
		problem := "no callback has arrived since the instances started"
		if at := lastArrival(s, k); !at.IsZero() {
			problem = fmt.Sprintf("the last callback arrived at %s, %v ago", at.UTC().Format(time.RFC3339),
				s.Now.Sub(at).Round(time.Second))
		}
		f.add(Info, CheckLastCallback, k.String(), problem, "")
		if n := rejected(s, k); n > 0 {
			f.add(Warning, CheckRejected, k.String(),
				fmt.Sprintf("%d callbacks were rejected for their signature since the instances started", n),
				"compare the registered key and sign type with the settings; the log and livebridge verify say which differs")
		}
	}
}

func lastArrival(s Seen, k bridge.Kind) (last time.Time) {
	for _, i := range s.Instances {
		if at := i.LastCallbacks[k.String()]; at.After(last) {
			last = at
		}
	}
	return last
}

func rejected(s Seen, k bridge.Kind) (n uint64) {
	for _, i := range s.Instances {
		for _, reason := range []string{signature.ReasonNoKey, signature.ReasonNoSignature, signature.ReasonMismatch,
			signature.ReasonMalformedSignature} {
			n += i.Rejected[k.String()][reason]
		}
	}
	return n
}
