package ingress

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
	"livebridge/bridge/probe"
	"livebridge/bridge/signature"
)

// The results of signed probes, the label of their counter.
const (
	probeAnswered = "answered"
	probeRefused  = "refused"
)

// headerRTC is in every signed callback of SparkRTC. Its body is covered as a whole, whatever it looks like.
const headerRTC = "X-Rtc-Signature"

// verifiedProbe is a probe that was recognised: verified, or refused.
type verifiedProbe struct {
	signature.SignedProbe
	err error
}

func newSignedProbes(r prometheus.Registerer) *prometheus.CounterVec {
	probes := promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "livebridge_signed_probes_total",
		Help: "Signed probes of livebridge callbacks doctor, by result: answered or refused. They are no callbacks.",
	}, []string{"kind", "result"})
	for _, k := range bridge.Kinds() {
		probes.WithLabelValues(k.String(), probeAnswered)
		probes.WithLabelValues(k.String(), probeRefused)
	}
	return probes
}

// recognizeProbe returns the probe that a request is, or nil for a callback. No body is both: a probe lacks members
// that callbacks of every kind need, and one with the signature of a SparkRTC callback is a callback.
func (s *Server) recognizeProbe(req *Request) *verifiedProbe {
	claim, is := probe.Decode(req.Body)
	if !is || req.Header.Get(headerRTC) != "" {
		return nil
	}
	if claim.Kind != req.Kind {
		return &verifiedProbe{err: &Refusal{http.StatusBadRequest, reasonMalformed,
			"the probe is for " + claim.Kind.String() + " callbacks and this is the route of " + req.Kind.String(), ""}}
	}
	var v verifiedProbe
	v.SignedProbe, v.err = s.ring.Load().VerifyProbe(claim, s.cfg.SnapshotToken, s.cfg.Now())
	return &v
}

// isProbe reports whether a request is a probe, which then is its outcome.
func (s *Server) isProbe(o *outcome, req *Request) bool {
	o.probe = s.recognizeProbe(req)
	return o.probe != nil
}

// answerProbe counts a probe apart from callbacks and answers it. It is not logged.
func (s *Server) answerProbe(w http.ResponseWriter, k kindLabel, p *verifiedProbe) {
	if p.err != nil {
		s.metrics.signedProbes.WithLabelValues(k.String(), probeRefused).Inc()
		refusalOf(p.err).write(w, s.cfg.retryAfter())
		return
	}
	s.metrics.signedProbes.WithLabelValues(k.String(), probeAnswered).Inc()
	_, _ = w.Write(probe.Answer(p.SignedProbe)) // the client may have gone
}
