package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
	"livebridge/bridge/status"
)

// watchersShare is the part of the connections on the admin port that pages which update themselves may take. The
// others stay for probes and metrics.
const watchersShare = 4

// newStatus returns the status page and its JSON.
func (a *app) newStatus() *status.Server {
	t := a.transport
	registerClientCertificate(a.settings, a.registry)
	registerTopic(a.engine.Topic, a.registry)
	return status.New(status.Config{
		Version: version(), Ready: a.ready, Journal: a.engine, Backlog: a.engine.Backlog,
		Broker: status.Broker{Transport: t.name(), URL: t.redactedURL(), Destination: t.destination(),
			Connected: a.engine.Connected, Available: a.engine.Available, Topic: a.engine.Topic},
		Keys: a.keyUses, Certs: a.certificates, Settings: a.shownSettings(), Refusals: a.refusals,
		Connections: func() status.Usage {
			open, limit := a.ingress.Connections()
			return status.Usage{Used: open, Limit: limit}
		},
		Gatherer: a.registry, MaxWatchers: min(16, a.files.operators/watchersShare),
	}, &a.published)
}

// topicOf returns the state of the stream or topic of events; of a publisher without one it is not known.
func topicOf(p publisher) (bridge.TopicState, bool) {
	if known, can := p.(interface {
		TopicState() (bridge.TopicState, bool)
	}); can {
		return known.TopicState()
	}
	return bridge.TopicState{}, false
}

// registerTopic registers the metrics of the topic or stream of events.
func registerTopic(state func() (bridge.TopicState, bool), r prometheus.Registerer) {
	for _, m := range []struct {
		name, help string
		of         func(bridge.TopicState) int
	}{
		{"partitions", "Partitions of the topic or stream of events at the last check; 0: it was not found yet, or " +
			"KAFKA_TOPIC is a template.", func(s bridge.TopicState) int { return s.Partitions }},
		{"replicas", "Replicas of the topic or stream of events, of the partition with the fewest; 0 likewise.",
			func(s bridge.TopicState) int { return s.Replicas }},
		{"in_sync_replicas", "In-sync replicas of the topic or stream of events, of the partition with the fewest.",
			func(s bridge.TopicState) int { return s.InSync }},
		{"idempotent", "1 if the broker stores an event once whose publishing is retried after a lost acknowledgement, " +
			"0 if it may store it twice, or nothing was published yet.",
			func(s bridge.TopicState) int { return int(truth(s.Idempotent)) }},
	} {
		promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_topic_" + m.name, Help: m.help},
			func() float64 {
				s, _ := state() // zero if it is not known
				return float64(m.of(s))
			})
	}
}

// shownSettings returns the settings as the command config prints them.
func (a *app) shownSettings() (all []status.Setting) {
	for _, s := range configOf(a.settings, &environment{vars: a.settings.given}).Settings {
		all = append(all, status.Setting{Name: s.Name, Value: s.Value, Source: s.Source, Description: s.Description})
	}
	return all
}

// keyUses returns the keys in use, by their ids.
func (a *app) keyUses() (all []status.Key) {
	for _, k := range a.keys.Ring().Keys() {
		shown := status.Key{Kind: k.Kind.String(), ID: k.ID, Uses: k.Count}
		if k.Last != 0 {
			shown.Last = time.UnixMilli(int64(k.Last)).UTC()
		}
		all = append(all, shown)
	}
	return all
}

func (a *app) refusals() (all []status.Refusal) {
	for _, r := range a.ingress.RecentRefusals() {
		all = append(all, status.Refusal(r))
	}
	return all
}

// certificates returns the certificates that the service presents: to senders, and to the broker.
func (a *app) certificates() (all []status.Certificate) {
	if a.certificate != nil {
		all = append(all, shownCertificate("TLS_CERT_FILE", a.certificate.Leaf()))
	}
	if setting, c := a.settings.clientCertificate(); c != nil {
		all = append(all, shownCertificate(setting, c))
	}
	return all
}

// clientCertificate returns the certificate that is shown to the broker, and the setting that names its file; nil:
// there is none.
func (s *settings) clientCertificate() (setting string, c *x509.Certificate) {
	if s.KafkaCertFile != "" {
		return "KAFKA_TLS_CERT_FILE", certificateIn(s.KafkaCertFile)
	}
	return "NATS_TLS_CERT_FILE", certificateIn(s.NATSCertFile)
}

// registerClientCertificate registers the metric of the certificate that is shown to the broker. Its file is read with
// every scrape: it can be replaced while the service runs.
func registerClientCertificate(s *settings, r prometheus.Registerer) {
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_broker_certificate_expiry_timestamp_seconds",
		Help: "Unix time at which the client certificate for the broker expires; 0: there is none."},
		func() float64 {
			if _, c := s.clientCertificate(); c != nil {
				return float64(c.NotAfter.Unix())
			}
			return 0
		})
}

// certificateIn returns the first certificate of a PEM file; nil: there is none that can be read.
func certificateIn(path string) *x509.Certificate {
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return c
}

func shownCertificate(setting string, c *x509.Certificate) status.Certificate {
	shown := status.Certificate{Setting: prefix + setting, Subject: c.Subject.String(),
		Names: append([]string{}, c.DNSNames...), Expires: c.NotAfter.UTC()}
	for _, ip := range c.IPAddresses {
		shown.Names = append(shown.Names, ip.String())
	}
	return shown
}
