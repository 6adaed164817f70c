package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// TestBadValuesAreRefused: values that cannot be meant are refused, and the error names them.
func TestBadValuesAreRefused(t *testing.T) {
	for _, c := range []struct {
		example, path string
		value         any
		want          []string
	}{
		{"kafka", "replicaCount", 2, []string{"replicaCount"}},
		{"kafka", "kafka.broker", "kafka:9092", []string{"/kafka", "broker"}},
		{"kafka", "kafka.brokers", []any{"kafka-0:9092,kafka-1:9092"}, []string{"/kafka/brokers/0"}},
		{"kafka", "kafka.brokers", []any{}, []string{"kafka.brokers is required"}},
		{"kafka", "kafka.replication", 0, []string{"/kafka/replication"}},
		{"kafka", "kafka.sasl.mechanism", "SCRAM-SHA-512", []string{"/kafka/sasl/mechanism"}},
		{"kafka", "kafka.sasl.existingSecret", "", []string{"kafka.sasl.existingSecret is required"}},
		{"kafka", "kafka.sasl.user", "", []string{"kafka.sasl.user is required"}},
		{"kafka", "kafka.tls.ca.existingSecret", "too", []string{"/kafka/tls/ca"}},
		{"kafka", "kafka.tls.verify", "skip", []string{"/kafka/tls/verify"}},
		{"kafka", "transport", "rabbitmq", []string{"/transport"}},
		{"kafka", "workload", "deployment", []string{"/workload"}},
		{"kafka", "existingSecret", "", []string{"existingSecret is required"}},
		{"kafka", "image.repository", "", []string{"image.repository is required"}},
		{"kafka", "image.digest", "sha256:12", []string{"/image/digest"}},
		{"kafka", "settings.DOMAIN", "push.example.com", []string{"/settings", "DOMAIN"}},
		{"kafka", "settings.STREAM_KEY", "secret", []string{"/settings", "STREAM_KEY"}},
		{"kafka", "settings.LISTEN", ":80", []string{"settings.LISTEN is made of other values"}},
		{"kafka", "settings.KAFKA_TLS_CA_FILE", "/ca", []string{"settings.KAFKA_TLS_CA_FILE is made of other values"}},
		{"kafka", "settings.DOMAINS", []any{"a", "b"}, []string{"/settings/DOMAINS"}},
		{"kafka", "secretKeys.STREAMKEY", "stream-key", []string{"/secretKeys", "STREAMKEY"}},
		{"kafka", "persistence.size", "20", []string{"/persistence/size"}},
		{"kafka", "persistence.accessModes", []any{"ReadWriteMany"}, []string{"/persistence/accessModes/0"}},
		{"kafka", "ports.admin", 70000, []string{"/ports/admin"}},
		{"kafka", "extraEnv", []any{map[string]any{"value": "x"}}, []string{"/extraEnv/0", "name"}},
		{"kafka", "serviceMonitor.enabled", true, []string{"not"}},
		{"kafka", "shutdown.delaySeconds", "5s", []string{"/shutdown/delaySeconds"}},
		{"kafka", "ingress.enabled", true, []string{"ingress.host is required"}},
		{"nats", "nats.url", []any{"nats-0:4222"}, []string{"/nats/url/0"}},
		{"nats", "nats.auth.existingSecret", "", []string{"nats.auth.existingSecret is required"}},
		{"embedded-nats", "nats.embedded.existingSecret", "", []string{"nats.embedded.existingSecret is required"}},
	} {
		_, err := renderExample(t, c.example, map[string]any{c.path: c.value})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with %s=%v: %v, want %q", c.example, c.path, c.value, err, want)
			}
		}
	}
}

// TestSchemaKnowsEveryValue: values.schema.json has every value of values.yaml, and no other.
func TestSchemaKnowsEveryValue(t *testing.T) {
	c, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := yaml.Unmarshal(c.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	delete(schema.Properties, "global")                       // of every chart
	for _, free := range []string{"settings", "secretKeys"} { // their names are those of the program's settings
		schema.Properties[free] = node{}
	}
	compareNode(t, "", schema, c.Values)
}

// node is a part of a JSON Schema.
type node struct {
	Properties map[string]node
}

func compareNode(t *testing.T, path string, n node, values map[string]any) {
	t.Helper()
	known, present := slices.Sorted(maps.Keys(n.Properties)), slices.Sorted(maps.Keys(values))
	if !slices.Equal(known, present) {
		t.Errorf("%s: the schema has %q, values.yaml %q", path, known, present)
	}
	for name, below := range n.Properties {
		if object, ok := values[name].(map[string]any); ok && len(below.Properties) > 0 {
			compareNode(t, path+"/"+name, below, object)
		}
	}
}

// TestLint: helm lint has nothing against the chart with the values of any example.
func TestLint(t *testing.T) {
	for _, name := range variants {
		values, err := example(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range lint.RunAll(chartDir, values, "default").Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}

// TestExtras: what users add reaches the objects.
func TestExtras(t *testing.T) {
	objects := objectsOf(t, "kafka", map[string]any{
		"extraEnv":          []any{map[string]any{"name": "OTEL_SERVICE_NAME", "value": "livebridge"}},
		"extraVolumes":      []any{map[string]any{"name": "extra", "emptyDir": map[string]any{}}},
		"extraVolumeMounts": []any{map[string]any{"name": "extra", "mountPath": "/extra"}},
		"extraObjects": []any{
			map[string]any{
				"apiVersion": "v1",
				"kind":       "ConfigMap",
				"metadata":   map[string]any{"name": "{{ .Release.Name }}-map"},
			},
			"apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-text'}",
		},
		"topologySpreadConstraints": []any{
			map[string]any{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
		},
		"podLabels": map[string]any{"team": "live"}, "commonLabels": map[string]any{"cost": "1"},
		"ingress": map[string]any{"enabled": true, "host": "callbacks.example.com", "tlsSecret": "tls"},
	})
	set := one[*apps.StatefulSet](t, objects)
	pod := set.Spec.Template
	c := livebridgeIn(t, &pod.Spec)
	if last := c.Env[len(c.Env)-1]; last.Name != "OTEL_SERVICE_NAME" || !mounted(c, "/extra/x") {
		t.Errorf("the last variable is %v, mounts are %v", last, c.VolumeMounts)
	}
	if pod.Labels["team"] != "live" || pod.Labels["cost"] != "1" || len(pod.Spec.TopologySpreadConstraints) != 1 {
		t.Errorf("labels %v, constraints %v", pod.Labels, pod.Spec.TopologySpreadConstraints)
	}
	if name := one[*core.ConfigMap](t, objects).Name; name != "livebridge-map" {
		t.Errorf("the ConfigMap is %s", name)
	}
	if name := one[*core.Secret](t, objects).Name; name != "livebridge-text" {
		t.Errorf("the Secret is %s", name)
	}
	if rules := one[*networking.Ingress](t, objects).Spec.Rules; len(rules) != 1 ||
		rules[0].Host != "callbacks.example.com" {
		t.Errorf("the ingress has %v", rules)
	}
}

// TestLabels: every object has the recommended labels.
func TestLabels(t *testing.T) {
	changes := map[string]any{"prometheusRule.enabled": true, "dashboard.enabled": true}
	for _, object := range objectsOf(t, "kafka", changes) {
		labels := object.(interface{ GetLabels() map[string]string }).GetLabels()
		for _, name := range []string{"name", "instance", "version", "component", "managed-by"} {
			if labels["app.kubernetes.io/"+name] == "" {
				t.Errorf("%T has no label %s", object, name)
			}
		}
	}
}

// TestNoDisruptionBudget: with one replica it would allow every eviction or block every drain.
func TestNoDisruptionBudget(t *testing.T) {
	for _, name := range variants {
		budgets := len(all[*policy.PodDisruptionBudget](objectsOf(t, name, nil)))
		if !strings.HasPrefix(name, "replicas") && budgets != 0 {
			t.Errorf("%s has %d", name, budgets)
		}
	}
}

// TestMonitors: both monitors select what has the admin port.
func TestMonitors(t *testing.T) {
	objects := objectsOf(t, "kafka", nil)
	pods := one[*monitoring.PodMonitor](t, objects)
	labels := one[*apps.StatefulSet](t, objects).Spec.Template.Labels
	for key, value := range pods.Spec.Selector.MatchLabels {
		if labels[key] != value {
			t.Errorf("the pod has no label %s=%s", key, value)
		}
	}
	objects = objectsOf(t, "kafka", map[string]any{"podMonitor.enabled": false, "serviceMonitor.enabled": true})
	services := one[*monitoring.ServiceMonitor](t, objects)
	var selected []*core.Service
	for _, s := range all[*core.Service](objects) {
		matches := true
		for key, value := range services.Spec.Selector.MatchLabels {
			matches = matches && s.Labels[key] == value
		}
		if matches {
			selected = append(selected, s)
		}
	}
	if len(selected) != 1 || selected[0].Spec.Ports[0].Name != services.Spec.Endpoints[0].Port {
		t.Errorf("the monitor selects %v", selected)
	}
}
