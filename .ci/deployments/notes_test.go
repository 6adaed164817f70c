package main

import (
	"strings"
	"testing"
)

// TestNotes: what helm install prints has the next commands with their names, and says what was chosen at a price.
func TestNotes(t *testing.T) {
	const lost, reached = "persistence.enabled is false", "networkPolicy.enabled is false"
	const domains = "settings.DOMAINS is empty"
	for _, c := range []struct {
		example string
		changes map[string]any
		want    []string
		not     []string
	}{
		{"kafka", nil, []string{"rollout status statefulset/livebridge",
			"exec livebridge-0 -c livebridge -- /livebridge config --check",
			"port-forward livebridge-0 9090", "during a rollout or a node drain callbacks are not answered"},
			[]string{lost, reached, domains}},
		{"replicas", nil, []string{"rollout status deployment/livebridge", "port-forward deployment/livebridge 9090",
			"replicas.persistence gives each a volume"}, []string{lost, "One replica owns"}},
		{"replicas", map[string]any{"replicas.persistence": true}, []string{"exec livebridge-0 -c livebridge"},
			[]string{"gives each a volume"}},
		{"sidecar", nil, []string{"exec application-0 -c livebridge -- /livebridge"}, []string{lost}},
		{"kafka", map[string]any{"persistence.enabled": false}, []string{lost, "not yet published."},
			[]string{"consumers have not read"}},
		{"sidecar", map[string]any{"persistence.enabled": false}, []string{lost, "all that consumers have not read"}, nil},
		{"kafka", map[string]any{"networkPolicy.enabled": false, "settings": map[string]any{}},
			[]string{reached, domains}, nil},
	} {
		r, err := renderExample(t, c.example, c.changes)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(r.notes, want) {
				t.Errorf("%s with %v: the notes lack %q:\n%s", c.example, c.changes, want, r.notes)
			}
		}
		for _, not := range c.not {
			if strings.Contains(r.notes, not) {
				t.Errorf("%s with %v: the notes have %q:\n%s", c.example, c.changes, not, r.notes)
			}
		}
	}
}
