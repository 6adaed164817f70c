// Package tracingtest is a collector of spans in memory, for tests.
package tracingtest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is a span as a collector gets it. Ids are hex; a Parent of a root is empty.
type Span struct {
	Name, Kind           string
	Trace, ID, Parent    string
	State                string
	Sampled              bool
	Begin, End           time.Time
	Failed               bool
	Attributes, Resource map[string]string
}

// Collector takes spans by OTLP over HTTP, with protobuf.
type Collector struct {
	URL string

	mu      sync.Mutex
	spans   []Span
	headers []http.Header // of each request
	changed chan struct{} // closed with the next request
}

// Start starts a collector that runs until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{changed: make(chan struct{})}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// ServeHTTP takes one request.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := read(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, r.Header.Clone())
	for _, of := range request.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s, of.GetResource().GetAttributes()))
			}
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// read takes an ExportTraceServiceRequest, which as bytes is a TracesData: its own package needs gRPC.
func read(r *http.Request) (*tracepb.TracesData, error) {
	if at := r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type"); at !=
		"POST /v1/traces application/x-protobuf" {
		return nil, fmt.Errorf("unexpected request %s", at)
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = unzipped
	}
	text, err := io.ReadAll(body)
	request := &tracepb.TracesData{}
	if err == nil {
		err = proto.Unmarshal(text, request)
	}
	return request, err
}

func spanOf(s *tracepb.Span, resource []*commonpb.KeyValue) Span {
	return Span{
		Name: s.GetName(), Kind: strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_")),
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()),
		Parent: hex.EncodeToString(s.GetParentSpanId()), State: s.GetTraceState(), Sampled: s.GetFlags()&1 != 0,
		Begin: time.Unix(0, int64(s.GetStartTimeUnixNano())), End: time.Unix(0, int64(s.GetEndTimeUnixNano())),
		Failed:     s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR,
		Attributes: texts(s.GetAttributes()), Resource: texts(resource),
	}
}

// texts returns attributes as texts; the parts of a list have commas between them.
func texts(attributes []*commonpb.KeyValue) map[string]string {
	out := make(map[string]string)
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[a.GetKey()] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[a.GetKey()] = fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_ArrayValue:
			var parts []string
			for _, part := range v.ArrayValue.GetValues() {
				parts = append(parts, part.GetStringValue())
			}
			out[a.GetKey()] = strings.Join(parts, ",")
		default:
			out[a.GetKey()] = fmt.Sprint(v)
		}
	}
	return out
}

// Spans returns what has come by now, and a channel that is closed when more has.
func (c *Collector) Spans() ([]Span, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans), c.changed
}

// Headers returns the headers of all requests by now.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}

// patience is how long Await waits.
const patience = time.Minute

// Await returns the first n spans that f wants, in the order of their begin, once there are so many.
func (c *Collector) Await(t testing.TB, n int, f func(*Span) bool) []Span {
	t.Helper()
	late := time.After(patience)
	for {
		all, more := c.Spans()
		wanted := slices.DeleteFunc(slices.Clone(all), func(s Span) bool { return !f(&s) })
		if len(wanted) >= n {
			slices.SortStableFunc(wanted, func(a, b Span) int { return a.Begin.Compare(b.Begin) })
			return wanted
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%d of %d spans came: %+v", len(wanted), n, all)
		}
	}
}
