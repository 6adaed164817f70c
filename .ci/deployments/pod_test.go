package main

import (
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// livebridgeIn returns livebridge's container of a pod.
func livebridgeIn(t *testing.T, pod *core.PodSpec) *core.Container {
	t.Helper()
	for _, list := range [][]core.Container{pod.InitContainers, pod.Containers} {
		for i := range list {
			if list[i].Name == "livebridge" {
				return &list[i]
			}
		}
	}
	t.Fatal("the pod has no container livebridge")
	return nil
}

// refusals returns what the restricted pod security standard has against a pod.
func refusals(t *testing.T, template core.PodTemplateSpec) (out []string) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
		if !result.Allowed {
			out = append(out, result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	return out
}

// TestPodsAreRestricted: the restricted pod security standard has nothing against the pods.
func TestPodsAreRestricted(t *testing.T) {
	for _, name := range variants {
		pod, _ := workloadOf(t, objectsOf(t, name, nil))
		if found := refusals(t, pod); len(found) > 0 {
			t.Errorf("%s: %q", name, found)
		}
		root := livebridgeIn(t, &pod.Spec).SecurityContext.ReadOnlyRootFilesystem
		if root == nil || !*root {
			t.Errorf("%s: the root of livebridge's container can be written to", name)
		}
	}
}

// TestOneReplicaWithItsVolume: one pod, one volume that outlives it, and more time to stop than livebridge takes.
func TestOneReplicaWithItsVolume(t *testing.T) {
	for _, name := range variants {
		if strings.HasPrefix(name, "replicas") {
			continue
		}
		objects := objectsOf(t, name, nil)
		set := one[*apps.StatefulSet](t, objects)
		if *set.Spec.Replicas != 1 || len(set.Spec.VolumeClaimTemplates) != 1 {
			t.Errorf("%s: %d replicas, %d claims", name, *set.Spec.Replicas, len(set.Spec.VolumeClaimTemplates))
		}
		kept := set.Spec.PersistentVolumeClaimRetentionPolicy
		if kept.WhenDeleted != apps.RetainPersistentVolumeClaimRetentionPolicyType {
			t.Errorf("%s: the volume is deleted with the set", name)
		}
		if grace := *set.Spec.Template.Spec.TerminationGracePeriodSeconds; grace < 40 {
			t.Errorf("%s: %d s to stop", name, grace)
		}
		headless := false
		for _, s := range all[*core.Service](objects) {
			headless = headless || s.Name == set.Spec.ServiceName && s.Spec.ClusterIP == core.ClusterIPNone
		}
		if !headless {
			t.Errorf("%s: %s is no headless service", name, set.Spec.ServiceName)
		}
	}
}

// TestPodFitsTogether: mounts have their volumes, probes and services their ports, selectors their labels, and no
// variable is set twice.
func TestPodFitsTogether(t *testing.T) {
	for _, name := range variants {
		objects := objectsOf(t, name, map[string]any{"tls.existingSecret": "tls"})
		pod, claims := workloadOf(t, objects)
		c := livebridgeIn(t, &pod.Spec)
		checkMounts(t, name, pod.Spec.Volumes, claims, c)
		ports := make(map[string]bool)
		for _, p := range c.Ports {
			ports[p.Name] = true
		}
		for _, s := range all[*core.Service](objects) {
			for _, p := range s.Spec.Ports {
				if !ports[p.TargetPort.StrVal] {
					t.Errorf("%s: no port of the container is %s", name, p.TargetPort.StrVal)
				}
			}
			for key, value := range s.Spec.Selector {
				if pod.Labels[key] != value {
					t.Errorf("%s: the pod is not selected by %s", name, s.Name)
				}
			}
		}
		var names []string
		for _, v := range c.Env {
			names = append(names, v.Name)
			if dir, ok := strings.CutPrefix(v.Value, "/run/secrets/"); ok && !mounted(c, "/run/secrets/"+dir) {
				t.Errorf("%s: %s=%s is not mounted", name, v.Name, v.Value)
			}
		}
		if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: a variable is set twice: %q", name, names)
		}
	}
}

func checkMounts(
	t *testing.T, name string, mounted []core.Volume, claims []core.PersistentVolumeClaim, c *core.Container,
) {
	t.Helper()
	volumes := make(map[string]bool)
	for _, v := range mounted {
		volumes[v.Name] = true
	}
	for _, claim := range claims {
		volumes[claim.Name] = true
	}
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s: there is no volume %s", name, m.Name)
		}
		delete(volumes, m.Name)
	}
	if len(volumes) > 0 {
		t.Errorf("%s: volumes that nothing mounts: %v", name, volumes)
	}
}

func mounted(c *core.Container, path string) bool {
	return slices.ContainsFunc(
		c.VolumeMounts,
		func(m core.VolumeMount) bool { return strings.HasPrefix(path, m.MountPath+"/") },
	)
}
