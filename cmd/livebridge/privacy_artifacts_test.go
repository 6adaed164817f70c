package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// artifacts is everything that the program wrote, by where.
type artifacts map[string]string

// grep returns where the text stands.
func (w artifacts) grep(text string) []string {
	var places []string
	for place, content := range w {
		if strings.Contains(content, text) {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places
}

// files adds all files below a folder.
func (w artifacts) files(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		w["file "+filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// topics adds every message of every stream, with its headers.
func (w artifacts) topics(t *testing.T, url, token string) {
	t.Helper()
	conn, err := natsgo.Connect(url, natsgo.Token(token))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LIVE_EVENTS", "LIVE_QUARANTINE"} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for n := uint64(1); n <= stream.CachedInfo().State.LastSeq; n++ {
			m, err := stream.GetMsg(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			w[fmt.Sprint("message ", name, " ", n)] = fmt.Sprint(m.Subject, m.Header, string(m.Data))
		}
	}
}

// pages adds the admin port.
func (w artifacts) pages(t *testing.T, service *program) {
	t.Helper()
	for _, path := range []string{"/", "/livez", "/readyz", "/metrics", "/schemas/", "/schemas/stream.json",
		"/debug/pprof/", "/config"} {
		w["page "+path] = page(t, service, path)
	}
}

// commands adds what other commands print with the same settings.
func (w artifacts) commands(t *testing.T, env []string, body string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{{"config"}, {"version"}, {"verify", "--kind", "stream", file}, {"serve", "--help"},
		{"serve"},
		{"simulate", "--url", "http://127.0.0.1:1", "--count", "1"}} {
		c := exec.Command(os.Args[0], line...)
		c.Env = env
		output, _ := c.CombinedOutput() // the exit code does not matter here
		w["command "+line[0]] += string(output)
	}
}
