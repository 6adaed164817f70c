package main

import (
	"reflect"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// TestSidecarGates: the application starts when livebridge's startup probe has succeeded, and ends before livebridge.
func TestSidecarGates(t *testing.T) {
	pod := one[*apps.StatefulSet](t, objectsOf(t, "sidecar", nil)).Spec.Template.Spec
	checkSidecar(t, &pod)
}

func checkSidecar(t *testing.T, pod *core.PodSpec) {
	t.Helper()
	last := pod.InitContainers[len(pod.InitContainers)-1]
	if last.Name != "livebridge" || last.RestartPolicy == nil ||
		*last.RestartPolicy != core.ContainerRestartPolicyAlways {
		t.Errorf("the last init container is %s with restart policy %v", last.Name, last.RestartPolicy)
	}
	if probe := last.StartupProbe; probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != "/livez" {
		t.Errorf("its startup probe is %v", last.StartupProbe)
	}
	if last.ReadinessProbe != nil {
		t.Error("a full journal makes the application's pod unready")
	}
}

// TestSidecarLeavesTheApplicationAlone: containers, security context and service account of the pod are those that the
// values say, and nothing of livebridge is in them.
func TestSidecarLeavesTheApplicationAlone(t *testing.T) {
	values, err := example("sidecar")
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(values["application"])
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Containers         []core.Container
		PodSecurityContext *core.PodSecurityContext
	}
	if err := yaml.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	pod := one[*apps.StatefulSet](t, objectsOf(t, "sidecar", nil)).Spec.Template.Spec
	if !reflect.DeepEqual(pod.Containers, want.Containers) || len(pod.Containers) != 1 {
		t.Errorf("the application's containers are %+v, want %+v", pod.Containers, want.Containers)
	}
	if !reflect.DeepEqual(pod.SecurityContext, want.PodSecurityContext) {
		t.Errorf("the pod's security context is %+v, want %+v", pod.SecurityContext, want.PodSecurityContext)
	}
	if pod.ServiceAccountName != "" || pod.AutomountServiceAccountToken != nil {
		t.Errorf(
			"the application has the service account %q, token %v",
			pod.ServiceAccountName,
			pod.AutomountServiceAccountToken,
		)
	}
	pod = one[*apps.StatefulSet](
		t,
		objectsOf(t, "sidecar", map[string]any{"application.podSecurityContext": nil}),
	).Spec.Template.Spec
	if pod.SecurityContext != nil || *pod.Volumes[0].Secret.DefaultMode != 0o444 {
		t.Errorf(
			"without a fsGroup: security context %v, secrets of mode %o",
			pod.SecurityContext,
			*pod.Volumes[0].Secret.DefaultMode,
		)
	}
}

// TestSidecarPolicyClosesOnlyLivebridge: the network policy opens every port of the pod to everybody except
// livebridge's.
func TestSidecarPolicyClosesOnlyLivebridge(t *testing.T) {
	changes := map[string]any{"nats.embedded": map[string]any{"expose": true, "existingSecret": "token"},
		"networkPolicy.callbacksFrom": []any{map[string]any{"podSelector": map[string]any{}}}, "ports.admin": 909,
		"networkPolicy.natsFrom": []any{map[string]any{"podSelector": map[string]any{}}}}
	policy := one[*networking.NetworkPolicy](t, objectsOf(t, "sidecar", changes))
	for port, want := range map[int32]bool{1: true, 80: true, 908: true, 909: false, 910: true,
		4221: true, 4222: false, 4223: true,
		8000: true, 8079: true, 8080: false, 8081: true, 9090: true, 65535: true} {
		if got := openToAll(policy, core.ProtocolTCP, port); got != want {
			t.Errorf("port %d is open to everybody: %v, want %v", port, got, want)
		}
	}
	if !openToAll(policy, core.ProtocolUDP, 53) {
		t.Error("UDP is closed")
	}
	alone := one[*networking.NetworkPolicy](t, objectsOf(t, "kafka", nil))
	if openToAll(alone, core.ProtocolTCP, 9090) || openToAll(alone, core.ProtocolTCP, 1) ||
		!openToAll(alone, core.ProtocolTCP, 8080) {
		t.Error("alone, another port than that for callbacks is open to everybody")
	}
}

func openToAll(policy *networking.NetworkPolicy, protocol core.Protocol, port int32) bool {
	for _, rule := range policy.Spec.Ingress {
		for _, p := range rule.Ports {
			of := core.ProtocolTCP
			if p.Protocol != nil {
				of = *p.Protocol
			}
			from, to := int32(1), int32(65535)
			if p.Port != nil {
				from, to = p.Port.IntVal, p.Port.IntVal
			}
			if p.EndPort != nil {
				to = *p.EndPort
			}
			if of == protocol && len(rule.From) == 0 && from <= port && port <= to {
				return true
			}
		}
	}
	return false
}

// TestSidecarCollisions: a port or a name that both have is refused, with what to do.
func TestSidecarCollisions(t *testing.T) {
	for _, c := range []struct {
		changes map[string]any
		want    string
	}{
		{map[string]any{"ports.admin": 8000}, "set ports.admin to another one"},
		{map[string]any{"application.containers": []any{map[string]any{"name": "livebridge"}}},
			"the name livebridge is taken"},
		{map[string]any{"application.containers": []any{}}, "application.containers is required"},
	} {
		if _, err := renderExample(t, "sidecar", c.changes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.changes, err, c.want)
		}
	}
}

// TestSidecarInAnotherChart: an application's own chart that depends on this one puts livebridge into its pod.
func TestSidecarInAnotherChart(t *testing.T) {
	parent, err := loader.Load("testdata/application")
	if err != nil {
		t.Fatal(err)
	}
	c, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	parent.AddDependency(c)
	r, err := render(
		parent,
		"shop",
		map[string]any{"livebridge": map[string]any{"workload": "none", "existingSecret": "keys",
			"image": map[string]any{
				"repository": "example.com/livebridge",
			}, "persistence": map[string]any{"enabled": false}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	objects := decode(t, r.objects)
	if sets := all[*apps.StatefulSet](objects); len(sets) > 0 {
		t.Errorf("%d stateful sets", len(sets))
	}
	deployment := one[*apps.Deployment](t, objects)
	checkSidecar(t, &deployment.Spec.Template.Spec)
	for _, s := range all[*core.Service](objects) {
		for key, value := range s.Spec.Selector {
			if deployment.Spec.Template.Labels[key] != value {
				t.Errorf("%s does not select the pod: %s=%s", s.Name, key, value)
			}
		}
	}
}
