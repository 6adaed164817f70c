package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestDeploymentsSetWhatThereIs: every setting that a file in deployments names is one of the program.
func TestDeploymentsSetWhatThereIs(t *testing.T) {
	named := 0
	err := filepath.WalkDir(filepath.Join("..", "..", "deployments"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".tpl" { // a template joins the names of its parts
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		vars := make(map[string]string)
		for _, name := range regexp.MustCompile(prefix+`[A-Z_]+`).FindAllString(string(text), -1) {
			vars[name] = ""
			named++
		}
		if wrong := unknownSettings(vars); len(wrong) > 0 {
			t.Errorf("%s sets %s", path, strings.Join(wrong, ", "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 50 {
		t.Errorf("%d settings are named", named)
	}
}

// TestDMSExample: the settings for Huawei Cloud DMS fit together, once the files that they name are there.
func TestDMSExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "deployments", "huawei-dms.env"))
	if err != nil {
		t.Fatal(err)
	}
	vars := with()
	for _, line := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		vars[line[1]] = line[2]
	}
	dir := t.TempDir()
	cert, password := filepath.Join(dir, "cert"), filepath.Join(dir, "password")
	certify(t, cert, filepath.Join(dir, "key"))
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars[prefix+"KAFKA_TLS_CA_FILE"], vars[prefix+"KAFKA_PASSWORD_FILE"] = cert, password
	s, err := load(vars)
	if err != nil {
		t.Fatal(err)
	}
	if o := s.kafkaOptions(zap.NewNop()); !o.TLS || o.TLSVerify != "ca" || o.SASL != "scram-sha-512" || o.CAFile != cert ||
		o.Create {
		t.Errorf("%+v", o)
	}
}

// TestDeploymentsAreConfined: what the image and the pod promise about user, root and volume is in their files.
func TestDeploymentsAreConfined(t *testing.T) {
	for file, lines := range map[string][]string{
		"Dockerfile": {"FROM scratch", "USER 65534:65534", "VOLUME /data", "CGO_ENABLED=0 go build -trimpath",
			"GOARCH=$TARGETARCH", "--mount=type=cache", "org.opencontainers.image.revision=$REVISION",
			`CMD ["/livebridge", "health"]`},
		"compose.yaml": {`KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false"`, "HOST://127.0.0.1:9092", "127.0.0.1:4222:4222",
			"127.0.0.1:9090:9090", "restart: unless-stopped", "condition: service_healthy"},
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
