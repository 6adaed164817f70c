package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// decoder decodes manifests with the types of the Kubernetes API and of the Prometheus operator. A field that they do
// not have, and one that is there twice, is an error.
func decoder() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apps.AddToScheme, core.AddToScheme, networking.AddToScheme,
		policy.AddToScheme, monitoring.AddToScheme} {
		utilruntime.Must(add(scheme))
	}
	return json.NewSerializerWithOptions(
		json.DefaultMetaFactory,
		scheme,
		scheme,
		json.SerializerOptions{Yaml: true, Strict: true},
	)
}

// decode returns the objects of a text of YAML documents.
func decode(t *testing.T, text string) (objects []runtime.Object) {
	t.Helper()
	documents := utilyaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
	strict, buffer := decoder(), make([]byte, 1<<20)
	for {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		document := bytes.TrimSpace(buffer[:n])
		if len(bytes.Trim(document, "- \n")) == 0 || onlyComments(document) {
			continue
		}
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Errorf("%v in\n%s", err, document)
			continue
		}
		objects = append(objects, object)
	}
}

func onlyComments(document []byte) bool {
	for line := range bytes.Lines(document) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}

// one returns the only object of a type.
func one[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	found := all[T](objects)
	if len(found) != 1 {
		t.Fatalf("%d objects are a %v, want 1", len(found), reflect.TypeFor[T]())
	}
	return found[0]
}

// workloadOf returns the pod template of the only workload and the claims that each pod of it gets.
func workloadOf(t *testing.T, objects []runtime.Object) (core.PodTemplateSpec, []core.PersistentVolumeClaim) {
	t.Helper()
	if deployments := all[*apps.Deployment](objects); len(deployments) == 1 {
		return deployments[0].Spec.Template, nil
	}
	set := one[*apps.StatefulSet](t, objects)
	return set.Spec.Template, set.Spec.VolumeClaimTemplates
}

func all[T runtime.Object](objects []runtime.Object) (found []T) {
	for _, object := range objects {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// overlay returns values with others on top, which are written "a.b.c": value.
func overlay(values map[string]any, changes map[string]any) map[string]any {
	for path, value := range changes {
		at, parts := values, strings.Split(path, ".")
		for _, part := range parts[:len(parts)-1] {
			below, ok := at[part].(map[string]any)
			if !ok {
				below = make(map[string]any)
				at[part] = below
			}
			at = below
		}
		at[parts[len(parts)-1]] = value
	}
	return values
}

// renderExample renders an example with changes.
func renderExample(t *testing.T, name string, changes map[string]any) (rendered, error) {
	t.Helper()
	c, err := loadChart()
	if err != nil {
		t.Fatal(err)
	}
	values, err := example(name)
	if err != nil {
		t.Fatal(err)
	}
	return render(c, "livebridge", overlay(values, changes))
}

// objectsOf renders an example with changes, which must succeed, and decodes its objects.
func objectsOf(t *testing.T, name string, changes map[string]any) []runtime.Object {
	t.Helper()
	r, err := renderExample(t, name, changes)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, r.objects)
}

// TestGeneratedIsCurrent: the generated files are what the command writes, and no other file is among them.
func TestGeneratedIsCurrent(t *testing.T) {
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil || string(got) != want {
			t.Errorf("%s is not current (%v); run make deployments", path, err)
		}
	}
	present, err := filepath.Glob(filepath.Join(root, "kubernetes", "*"))
	if err != nil || len(present) != len(variants) {
		t.Errorf("%q are in kubernetes/, want those of %q (%v)", present, variants, err)
	}
}

// TestExamplesAreVariants: every example of the chart is rendered.
func TestExamplesAreVariants(t *testing.T) {
	present, err := filepath.Glob(filepath.Join(chartDir, "examples", "*.yaml"))
	if err != nil || len(present) != len(variants) {
		t.Errorf("%q are examples, want %q (%v)", present, variants, err)
	}
}

// TestPlainManifests: every plain manifest is decoded strictly.
func TestPlainManifests(t *testing.T) {
	for _, name := range variants {
		text, err := os.ReadFile(filepath.Join(root, "kubernetes", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if objects := decode(t, string(text)); len(objects) < 4 {
			t.Errorf("%s has %d objects", name, len(objects))
		}
	}
}
