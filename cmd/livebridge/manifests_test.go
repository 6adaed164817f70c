package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
	"go.yaml.in/yaml/v3"
)

// workload is what a manifest says of the pod's containers.
type workload struct {
	Kind string
	Spec struct{ Template struct{ Spec pod } }
}

type pod struct {
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
}

type container struct {
	Name string
	Args []string
	Env  []struct{ Name, Value string }
}

// TestManifestsStart: the program accepts the settings of every manifest, once the files that they name are there.
func TestManifestsStart(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deployments", "kubernetes", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c := containerIn(t, file)
			if len(c.Args) != 1 || c.Args[0] != "serve" {
				t.Errorf("its arguments are %q", c.Args)
			}
			if _, err := load(withFiles(t, c)); err != nil {
				t.Error(err)
			}
		})
	}
}

// containerIn returns livebridge's container in a manifest.
func containerIn(t *testing.T, file string) container {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var w workload
		if err := documents.Decode(&w); errors.Is(err, io.EOF) {
			t.Fatalf("%s has no container livebridge", file)
		} else if err != nil {
			t.Fatal(err)
		}
		for _, c := range slices.Concat(w.Spec.Template.Spec.InitContainers, w.Spec.Template.Spec.Containers) {
			if c.Name == "livebridge" {
				return c
			}
		}
	}
}

// withFiles returns the container's environment with its Secrets in a directory of the test.
func withFiles(t *testing.T, c container) map[string]string {
	t.Helper()
	const secrets = "/run/secrets/livebridge/"
	dir, vars := t.TempDir(), make(map[string]string)
	for _, v := range c.Env {
		vars[v.Name] = v.Value
		name, isFile := strings.CutPrefix(v.Value, secrets)
		if !isFile {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(path) {
		case ".crt":
			certify(t, path, path+".key")
		case ".creds":
			writeFile(t, path, natsCredentials(t))
		default:
			writeFile(t, path, []byte("0123456789abcdef0123456789abcdef\n"))
		}
		vars[v.Name] = path
	}
	return vars
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// natsCredentials returns a credentials file of a user that no server knows.
func natsCredentials(t *testing.T) []byte {
	t.Helper()
	account, err := nkeys.CreateAccount()
	if err != nil {
		t.Fatal(err)
	}
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := user.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.NewUserClaims(public).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
