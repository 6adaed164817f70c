package tracing

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
)

// Config is what the variables of OpenTelemetry say.
type Config struct {
	Endpoint *url.URL          // spans are posted there
	Headers  map[string]string // sent with them; may contain secrets
	Timeout  time.Duration     // of one request
	Gzip     bool

	CAFile, CertFile, KeyFile string // PEM, for TLS; may be empty

	Service string // name; empty: what OTEL_RESOURCE_ATTRIBUTES says, or livebridge
	Sampler trace.Sampler
}

// The defaults of the specification.
const (
	defaultEndpoint = "http://localhost:4318"
	defaultTimeout  = 10 * time.Second
	tracesPath      = "/v1/traces"
)

// environment is the variables. Its methods collect errors that name the variable and say what to do.
type environment struct {
	vars map[string]string
	errs []error
}

// FromEnvironment reads the variables. It returns nil when they do not ask for traces: that takes an exporter or an
// endpoint, unlike in the specification. The errors name the variables and contain no secret.
func FromEnvironment(vars map[string]string) (*Config, error) {
	e := &environment{vars: vars}
	on := e.enabled()
	if !on || len(e.errs) > 0 {
		return nil, errors.Join(e.errs...)
	}
	c := &Config{Service: e.get("OTEL_SERVICE_NAME")}
	e.protocol()
	c.Endpoint, c.Headers, c.Timeout = e.endpoint(), e.headers(), e.timeout()
	c.Gzip = e.compression()
	_, c.CAFile = e.otlp("CERTIFICATE")
	_, c.CertFile = e.otlp("CLIENT_CERTIFICATE")
	_, c.KeyFile = e.otlp("CLIENT_KEY")
	c.Sampler = e.sampler()
	if len(e.errs) > 0 {
		return nil, errors.Join(e.errs...)
	}
	return c, nil
}

// get returns a variable. An empty one is as good as none.
func (e *environment) get(name string) string { return strings.TrimSpace(e.vars[name]) }

// otlp returns the name and the value of a variable of the exporter: that for traces, or else that for everything.
func (e *environment) otlp(name string) (variable, value string) {
	variable = "OTEL_EXPORTER_OTLP_TRACES_" + name
	if value = e.get(variable); value == "" {
		variable = "OTEL_EXPORTER_OTLP_" + name
		value = e.get(variable)
	}
	return variable, value
}

// fail notes that a variable cannot be used, and what to do about it.
func (e *environment) fail(variable, problem, remedy string) {
	e.errs = append(e.errs, fmt.Errorf("%s: %s: %s", variable, problem, remedy))
}

// enabled reports whether spans are wanted.
func (e *environment) enabled() bool {
	_, endpoint := e.otlp("ENDPOINT")
	exporter := e.get("OTEL_TRACES_EXPORTER")
	switch {
	case strings.EqualFold(e.get("OTEL_SDK_DISABLED"), "true"), exporter == "none", exporter+endpoint == "":
		return false
	case exporter != "" && exporter != "otlp":
		e.fail("OTEL_TRACES_EXPORTER", fmt.Sprintf("unknown exporter %q", exporter), "use otlp or none")
	}
	return true
}

// protocol rejects everything but protobuf over HTTP.
func (e *environment) protocol() {
	switch name, value := e.otlp("PROTOCOL"); value {
	case "", "http/protobuf":
	case "grpc":
		e.fail(name, "grpc is not supported", "use http/protobuf, and the collector's port for OTLP over HTTP "+
			"(usually 4318, not 4317)")
	default:
		e.fail(name, fmt.Sprintf("unknown protocol %q", value), "use http/protobuf")
	}
}

// endpoint returns where spans are posted. The path is added to the endpoint of everything, and not to that of traces.
func (e *environment) endpoint() *url.URL {
	name, value := e.otlp("ENDPOINT")
	if value == "" {
		value = defaultEndpoint
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" { // err has the value, and so its password
		e.fail(name, "not a URL of http or https", "use one such as http://collector:4318")
		return nil
	}
	if !strings.Contains(name, "_TRACES_") {
		u = u.JoinPath(tracesPath)
	}
	return u
}

// headers returns those that are sent with spans.
func (e *environment) headers() map[string]string {
	name, value := e.otlp("HEADERS")
	out := make(map[string]string)
	for pair := range strings.SplitSeq(value, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, escaped, found := strings.Cut(pair, "=")
		text, err := url.PathUnescape(strings.TrimSpace(escaped))
		key = strings.TrimSpace(key)
		if !found || err != nil || !isToken(key) || strings.ContainsAny(text, "\r\n\x00") {
			e.fail(name, "not a list of headers", "use name=value,name=value with percent-encoded values")
			return nil
		}
		out[key] = text
	}
	return out
}

// isToken reports whether a text can be the name of a header.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// timeout returns how long one request may take.
func (e *environment) timeout() time.Duration {
	name, value := e.otlp("TIMEOUT")
	if value == "" {
		return defaultTimeout
	}
	ms, err := strconv.ParseUint(value, 10, 31)
	if err != nil || ms == 0 {
		e.fail(name, fmt.Sprintf("invalid value %q", value), "use a number of milliseconds, such as 10000")
	}
	return time.Duration(ms) * time.Millisecond
}

func (e *environment) compression() (gzip bool) {
	name, value := e.otlp("COMPRESSION")
	if !slices.Contains([]string{"", "none", "gzip"}, value) {
		e.fail(name, fmt.Sprintf("unknown compression %q", value), "use gzip or none")
	}
	return value == "gzip"
}

// sampler returns which traces are recorded. By default that is what a trusted proxy says, and all others.
func (e *environment) sampler() trace.Sampler {
	const name = "OTEL_TRACES_SAMPLER"
	value := e.get(name)
	switch value {
	case "", "parentbased_always_on":
		return trace.ParentBased(trace.AlwaysSample())
	case "always_on":
		return trace.AlwaysSample()
	case "always_off":
		return trace.NeverSample()
	case "parentbased_always_off":
		return trace.ParentBased(trace.NeverSample())
	case "traceidratio":
		return trace.TraceIDRatioBased(e.ratio())
	case "parentbased_traceidratio":
		return trace.ParentBased(trace.TraceIDRatioBased(e.ratio()))
	}
	e.fail(name, fmt.Sprintf("unknown sampler %q", value), "use one of always_on, always_off, traceidratio, "+
		"parentbased_always_on, parentbased_always_off, parentbased_traceidratio")
	return nil
}

// ratio returns the share of traces that are recorded.
func (e *environment) ratio() float64 {
	const name = "OTEL_TRACES_SAMPLER_ARG"
	value := e.get(name)
	if value == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(ratio) || ratio < 0 || ratio > 1 {
		e.fail(name, fmt.Sprintf("invalid ratio %q", value), "use a number from 0 to 1, such as 0.1")
	}
	return ratio
}
