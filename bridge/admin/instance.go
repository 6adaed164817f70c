package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxMetricsBytes bounds the metrics that are read from an instance.
const maxMetricsBytes = 16 << 20

// Instance is what one running instance reports on its admin port. Times are by its own clock.
type Instance struct {
	URL     string
	Now     time.Time // when it answered
	Started time.Time // zero: it does not say
	Keys    []ActiveKey

	// LastCallbacks is when a callback of each kind was last answered 200, since its start.
	LastCallbacks map[string]time.Time
	// Rejected is how many callbacks it rejected for each reason, by kind, since its start.
	Rejected map[string]map[string]uint64
}

// ActiveKey is a key that verifies callbacks, and how it was used since the instance's start.
type ActiveKey struct {
	Kind, ID string    // see signature.KeyID
	Uses     uint64    // callbacks that it verified
	LastUse  time.Time // of the last of them; zero: none
}

// Key returns an active key by its kind and id.
func (i Instance) Key(kind, id string) (ActiveKey, bool) {
	for _, k := range i.Keys {
		if k.Kind == kind && k.ID == id {
			return k, true
		}
	}
	return ActiveKey{}, false
}

// ReadInstance reads an instance's metrics. at is the base URL of its admin port, such as http://10.0.0.7:9090.
func ReadInstance(ctx context.Context, client *http.Client, at string) (Instance, error) {
	i := Instance{URL: strings.TrimRight(at, "/")}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL+"/metrics", nil)
	if err != nil {
		return i, fmt.Errorf("instance %q: use the URL of an admin port, such as http://127.0.0.1:9090", at)
	}
	response, err := client.Do(r)
	if err != nil {
		return i, fmt.Errorf("instance %s does not answer: %w", at, causeOf(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return i, fmt.Errorf("instance %s: %s; use the URL of its admin port (ADMIN_LISTEN)", at, response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(response.Body, maxMetricsBytes))
	if err == nil && families["livebridge_key_uses_total"] == nil && families["livebridge_probes_total"] == nil {
		err = errors.New("no metric of livebridge")
	}
	if err != nil {
		return i, fmt.Errorf("instance %s answers with something else than metrics of livebridge: %w", at, err)
	}
	if i.Now, err = http.ParseTime(response.Header.Get("Date")); err != nil {
		i.Now = time.Now()
	}
	i.read(families)
	return i, nil
}

// causeOf removes the method and the URL from net/http's error.
func causeOf(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func (i *Instance) read(families map[string]*dto.MetricFamily) {
	for _, m := range families["process_start_time_seconds"].GetMetric() {
		i.Started = instant(m)
	}
	lastUses := make(map[ActiveKey]time.Time)
	for _, m := range families["livebridge_key_last_use_timestamp_seconds"].GetMetric() {
		lastUses[ActiveKey{Kind: label(m, "kind"), ID: label(m, "key")}] = instant(m)
	}
	for _, m := range families["livebridge_key_uses_total"].GetMetric() {
		k := ActiveKey{Kind: label(m, "kind"), ID: label(m, "key")}
		k.LastUse, k.Uses = lastUses[k], uint64(value(m))
		i.Keys = append(i.Keys, k)
	}
	i.LastCallbacks = make(map[string]time.Time)
	for _, m := range families["livebridge_last_callback_timestamp_seconds"].GetMetric() {
		if at := instant(m); !at.IsZero() {
			i.LastCallbacks[label(m, "kind")] = at
		}
	}
	i.Rejected = make(map[string]map[string]uint64)
	for _, m := range families["livebridge_callbacks_refused_total"].GetMetric() {
		kind := label(m, "kind")
		if i.Rejected[kind] == nil {
			i.Rejected[kind] = make(map[string]uint64)
		}
		i.Rejected[kind][label(m, "reason")] += uint64(value(m))
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// value is the value of a counter or a gauge, or of a metric whose type the instance does not say.
func value(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
}

// instant is a value in Unix seconds; zero: none.
func instant(m *dto.Metric) time.Time {
	if seconds := value(m); seconds > 0 {
		return time.UnixMilli(int64(seconds * 1000))
	}
	return time.Time{}
}
