package doctor

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"livebridge/bridge"
	"livebridge/bridge/probe"
	"livebridge/bridge/provider"
)

// expirySoon is how long before its expiry a certificate is warned of.
const expirySoon = 14 * 24 * time.Hour

// url compares the registered URL with the routes. A gateway may rewrite paths: where a probe was answered, any is
// good.
func (f *findings) url(add adder, e Expected, s Seen, c *provider.Callback) {
	if c.URL == "" {
		add(Error, CheckURL, "no URL is registered: the provider calls nothing", "update the callback with --url")
		return
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		add(Error, CheckURL, "the registered URL is not an http or https URL", "update the callback with --url")
		return
	}
	if u.Scheme == "http" {
		add(Warning, CheckPlainHTTP, "over plain HTTP callbacks can be read and repeated on the way",
			"serve HTTPS with TLS_CERT_FILE or a gateway, and update the callback with --url https://…")
	}
	if answered(s, c.Place) {
		return
	}
	switch route := e.route(c.Kind); {
	case route == "":
		add(Error, CheckRoute, "snapshots are not received here: SNAPSHOT_TOKEN is empty",
			"set SNAPSHOT_TOKEN and register /live/snapshot/<token>")
	case !hasSuffix(u.Path, route) && c.Kind == bridge.KindSnapshot:
		add(Error, CheckRoute, "the path does not end with /live/snapshot/ and SNAPSHOT_TOKEN", "update the callback "+
			"with --url")
	case !hasSuffix(u.Path, route):
		add(Error, CheckRoute, fmt.Sprintf("the path does not end with %s, the route of %v callbacks", route, c.Kind),
			"update the callback with --url https://…"+e.prefix()+route)
	}
}

// hasSuffix reports whether a path ends with a route, as livebridge reads it.
func hasSuffix(p, route string) bool { return strings.HasSuffix(path.Clean("/"+p), route) }

// prefix returns PATH_PREFIX with a leading slash, or nothing.
func (e Expected) prefix() string {
	if p := strings.Trim(e.PathPrefix, "/"); p != "" {
		return "/" + p
	}
	return ""
}

// route returns the route of a kind below the prefix; empty: there is none.
func (e Expected) route(k bridge.Kind) string {
	switch {
	case k == bridge.KindStream:
		return "/live/stream"
	case k == bridge.KindRecord:
		return "/live/record"
	case k == bridge.KindRTCRecord:
		return "/rtc/record"
	case e.SnapshotToken != "":
		return "/live/snapshot/" + e.SnapshotToken
	}
	return ""
}

// answered reports whether a probe of a callback was answered as it should be.
func answered(s Seen, p provider.Place) bool {
	for i := range s.Probes {
		if o := &s.Probes[i]; o.Place == p && o.Failure == "" {
			return true
		}
	}
	return false
}

// probes reports what became of the probes of a callback.
func (f *findings) probes(add adder, s Seen, c *provider.Callback) {
	reported := make(map[string]bool)
	for i := range s.Probes {
		o := &s.Probes[i]
		if o.Place != c.Place {
			continue
		}
		level, check, problem, advice := explain(o)
		if !reported[problem] {
			add(level, check, problem, advice)
		}
		reported[problem] = true
		if at := o.Certificate; o.Failure != probe.FailureCertificate && at != nil && !reported["expiry"] {
			f.expiry(add, s.Now, at.NotAfter)
			reported["expiry"] = true
		}
	}
}

func (f *findings) expiry(add adder, now, end time.Time) {
	if left := end.Sub(now); left < expirySoon {
		add(Warning, CheckCertificate, fmt.Sprintf("the certificate expires in %v days, on %s",
			int(left.Hours()/24), end.UTC().Format(time.DateOnly)), "renew it; livebridge uses a new TLS_CERT_FILE at once")
	}
}

// explain returns the finding of one probe.
func explain(o *ProbeOutcome) (level Level, check Check, problem, advice string) {
	signed := ""
	if o.Key != "" {
		signed = " signed with the key " + o.Key
	}
	switch o.Failure {
	case "":
		return Info, CheckProbe, "a probe" + signed + " through the public URL was verified and answered", ""
	case probe.FailureURL:
		return Error, CheckURL, o.Detail, "update the callback with --url"
	case probe.FailureUnreachable:
		return Error, CheckProbe, "the public URL cannot be reached: " + o.Detail,
			"check DNS, firewall, load balancer, and that livebridge runs; the provider calls from the internet"
	case probe.FailureCertificate:
		return Error, CheckCertificate, "the certificate is not trusted: " + o.Detail,
			"use a certificate of a public authority for this host, with its intermediate certificates in TLS_CERT_FILE"
	case probe.FailureRedirect:
		return Error, CheckProbe, "the public URL redirects (" + o.Detail + "), which the provider need not follow",
			"register the URL that it redirects to"
	case probe.FailureRefused:
		if o.Status == http.StatusNotFound {
			return Error, CheckProbe, "livebridge answers at the public URL and has no such route", "check the path and " +
				"PATH_PREFIX"
		}
		return Error, CheckProbe, fmt.Sprintf("a probe%s was rejected with %d: %s", signed, o.Status, o.Detail),
			"compare the settings of what serves the public URL with these: keys, domains, ALLOW_SOURCES, clock"
	case probe.FailureProof:
		return Error, CheckProbe, "a probe" + signed + " was answered without the proof of the key",
			"something in front answers for livebridge; check the gateway"
	}
	return Error, CheckProbe, "something else than livebridge answers at the public URL: " + o.Detail,
		"check the URL, PATH_PREFIX, and how the gateway forwards this path"
}
