// Command deployments writes what is generated below deployments/: the plain manifests, from the Helm chart and its
// examples; the dashboard; and the chart's copies of dashboard and alert rules. Run it in its own directory. Its tests
// check the chart, and that what is generated is current.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// root is the directory of the deployments, from this one.
const root = "../../deployments"

func main() {
	files, err := generated()
	if err == nil {
		err = write(files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deployments:", err)
		os.Exit(1)
	}
}

// generated returns the content of every generated file by its path below root.
func generated() (map[string]string, error) {
	board, err := dashboardJSON()
	if err != nil {
		return nil, err
	}
	alerts, err := os.ReadFile(filepath.Join(root, "prometheus", "alerts.yaml"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		"grafana/livebridge.json":              board,
		"helm/livebridge/files/dashboard.json": board,
		"helm/livebridge/files/alerts.yaml":    string(alerts),
	}
	for _, name := range variants {
		if files["kubernetes/"+name+".yaml"], err = manifest(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func write(files map[string]string) error {
	for path, text := range files {
		path = filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
