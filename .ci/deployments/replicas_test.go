package main

import (
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
)

// TestReplicasOnNATS: replicas share the streams of a cluster as they share topics.
func TestReplicasOnNATS(t *testing.T) {
	pod := one[*apps.Deployment](t, objectsOf(t, "replicas-nats", nil)).Spec.Template
	for setting, want := range map[string]string{"INTAKE": "broker", "TRANSPORT": "nats", "NATS_REPLICAS": "3"} {
		if got := envOf(livebridgeIn(t, &pod.Spec), setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
}

// TestReplicas: an update starts a pod before it ends one, the pods are spread, and a drain takes one at a time.
func TestReplicas(t *testing.T) {
	objects := objectsOf(t, "replicas", nil)
	d := one[*apps.Deployment](t, objects)
	update := d.Spec.Strategy.RollingUpdate
	if *d.Spec.Replicas != 3 || update.MaxUnavailable.IntValue() != 0 || update.MaxSurge.IntValue() != 1 {
		t.Errorf("%d replicas, %v", *d.Spec.Replicas, update)
	}
	pod := d.Spec.Template
	if len(pod.Spec.TopologySpreadConstraints) != 2 {
		t.Errorf("spread by %v", pod.Spec.TopologySpreadConstraints)
	}
	for _, c := range pod.Spec.TopologySpreadConstraints {
		for key, value := range c.LabelSelector.MatchLabels {
			if pod.Labels[key] != value {
				t.Errorf("%s spreads pods with %s=%s", c.TopologyKey, key, value)
			}
		}
	}
	budget := one[*policy.PodDisruptionBudget](t, objects)
	if budget.Spec.MaxUnavailable.IntValue() != 1 || budget.Spec.Selector.MatchLabels["app.kubernetes.io/name"] == "" {
		t.Errorf("the budget is %v", budget.Spec)
	}
	if c := livebridgeIn(t, &pod.Spec); c.ReadinessProbe == nil || envOf(c, "INTAKE") != "broker" ||
		envOf(c, "INTAKE_FALLBACK") != "journal" || envOf(c, "INTAKE_GROUP") != "livebridge" {
		t.Errorf("the container has %v", c.Env)
	}
	if i := slices.IndexFunc(pod.Spec.Volumes, func(v core.Volume) bool { return v.Name == "livebridge-data" }); i < 0 ||
		pod.Spec.Volumes[i].EmptyDir == nil {
		t.Errorf("the volumes are %v", pod.Spec.Volumes)
	}
}

// TestReplicasWithVolumes: each pod has a volume that outlives it, and all start at once.
func TestReplicasWithVolumes(t *testing.T) {
	objects := objectsOf(t, "replicas", map[string]any{"replicas.persistence": true, "replicas.count": 2})
	set := one[*apps.StatefulSet](t, objects)
	if *set.Spec.Replicas != 2 || len(set.Spec.VolumeClaimTemplates) != 1 ||
		set.Spec.PodManagementPolicy != apps.ParallelPodManagement {
		t.Errorf("%d replicas, %d claims, %s", *set.Spec.Replicas, len(set.Spec.VolumeClaimTemplates),
			set.Spec.PodManagementPolicy)
	}
	if slices.ContainsFunc(set.Spec.Template.Spec.Volumes,
		func(v core.Volume) bool { return v.Name == "livebridge-data" }) {
		t.Error("a volume of the pod hides its claim")
	}
	if budgets := all[*policy.PodDisruptionBudget](objects); len(budgets) != 1 {
		t.Errorf("%d disruption budgets", len(budgets))
	}
}

// TestReplicasNeedABroker: what cannot share the work is refused with the way out.
func TestReplicasNeedABroker(t *testing.T) {
	for _, c := range []struct {
		changes map[string]any
		want    string
	}{
		{map[string]any{"transport": "nats"}, "needs transport: kafka, or nats.url"},
		{map[string]any{"replicas.count": 1}, "/replicas/count"},
		{map[string]any{"replicas.fallback": "none"}, "/replicas/fallback"},
		{map[string]any{"settings": map[string]any{"INTAKE": "local"}}, "settings.INTAKE is made of other values"},
	} {
		if _, err := renderExample(t, "replicas", c.changes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.changes, err, c.want)
		}
	}
}

// envOf returns the value of a setting in a container's environment.
func envOf(c *core.Container, setting string) string {
	for _, v := range c.Env {
		if v.Name == "LIVEBRIDGE_"+setting {
			return v.Value
		}
	}
	return ""
}
