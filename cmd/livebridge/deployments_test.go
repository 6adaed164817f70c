package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDeploymentsSetWhatThereIs: every setting that a file in deployments names is one of the program.
func TestDeploymentsSetWhatThereIs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deployments", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	named := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		vars := make(map[string]string)
		for _, name := range regexp.MustCompile(prefix+`[A-Z_]+`).FindAllString(string(text), -1) {
			vars[name] = ""
			named++
		}
		if wrong := unknownSettings(vars); len(wrong) > 0 {
			t.Errorf("%s sets %s", file, strings.Join(wrong, ", "))
		}
	}
	if named < 5 {
		t.Errorf("%d settings are named", named)
	}
}

// TestDeploymentsAreConfined: what the image and the pod promise about user, root and volume is in their files.
func TestDeploymentsAreConfined(t *testing.T) {
	for file, lines := range map[string][]string{
		"Dockerfile": {"FROM scratch", "USER 65534:65534", "VOLUME /data", "CGO_ENABLED=0 go build -trimpath"},
		"kubernetes.yaml": {"runAsNonRoot: true", "runAsUser: 65534", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false",
			"capabilities: {drop: [ALL]}", "path: /readyz", "path: /livez", "automountServiceAccountToken: false"},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deployments", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s has no %q", file, line)
			}
		}
	}
}
