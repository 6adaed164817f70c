package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

// chartDir is the Helm chart.
const chartDir = root + "/helm/livebridge"

// rendered is what Helm makes of the chart.
type rendered struct {
	objects string // all objects, as YAML documents
	notes   string // what helm install prints
}

// loadChart reads the chart.
func loadChart() (*chart.Chart, error) { return loader.Load(chartDir) }

// render renders a chart as `helm template RELEASE` does: values are those of the chart with these on top, and
// values.schema.json has to accept them.
func render(c *chart.Chart, release string, values map[string]any) (rendered, error) {
	options := common.ReleaseOptions{Name: release, Namespace: "default", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, values, options, common.DefaultCapabilities)
	if err != nil {
		return rendered{}, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return rendered{}, err
	}
	var r rendered
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch text := strings.TrimSpace(files[name]); {
		case strings.HasSuffix(name, "NOTES.txt"):
			r.notes += text
		case text != "" && filepath.Ext(name) == ".yaml":
			r.objects += "---\n" + strings.TrimPrefix(text, "---\n") + "\n"
		}
	}
	return r, nil
}

// example returns the values of examples/NAME.yaml.
func example(name string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(chartDir, "examples", name+".yaml"))
	if err != nil {
		return nil, err
	}
	values := make(map[string]any)
	return values, yaml.UnmarshalStrict(text, &values)
}
