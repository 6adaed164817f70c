package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestComposeMounts: the files that compose.yaml mounts from here are there, and of its volumes each is declared.
func TestComposeMounts(t *testing.T) {
	dir := filepath.Join("..", "..", "deployments")
	text, err := os.ReadFile(filepath.Join(dir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct{ Volumes []string }
		Volumes  map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	mounted := 0
	for name, service := range file.Services {
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, "./") {
				if _, declared := file.Volumes[source]; !declared {
					t.Errorf("%s: the volume %s is not declared", name, source)
				}
				continue
			}
			if mounted++; !exists(filepath.Join(dir, source)) {
				t.Errorf("%s: there is no %s", name, source)
			}
		}
	}
	if mounted < 3 {
		t.Errorf("%d files are mounted", mounted)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
