//go:build browser

package status

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Of the tests with a browser: how long they wait for what they want to see, the height of its window, and the version
// of axe-core.
const (
	windowHeight    = 840
	browserPatience = 90 * time.Second
	axeVersion      = "4.14.1"
)

// need fails a test that lacks a tool of the machine.
func need(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("there is no %s: %v", what, err)
	}
}

// browser is a headless Chromium, and what went wrong in it.
type browser struct {
	ctx context.Context

	mu       sync.Mutex
	problems []string // exceptions, and what the security policy has blocked
	requests []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	need(t, "chromium (Debian's package of this name)", err)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(browserPatience))
	ctx, cancel := context.WithTimeout(t.Context(), browserPatience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	return b
}

// note remembers what the page asks for, and what goes wrong in it.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint(event.ExceptionDetails.Text, " ", event.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, event.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, event.Request.URL)
	}
}

// call calls one command of the browser.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// look sets the window and the colours that the reader prefers.
func (b *browser) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(width, windowHeight))
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// evaluate returns the value of an expression, or of its promise.
func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// axe returns the script of axe-core, which comes from the npm registry.
func axe(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	need(t, "directory for caches", err)
	dir := filepath.Join(cache, "livebridge-tests")
	script := filepath.Join(dir, "axe-core-"+axeVersion+".js")
	if text, err := os.ReadFile(script); err == nil {
		return string(text)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	pack := exec.CommandContext(t.Context(), "npm", "pack", "--silent", "axe-core@"+axeVersion)
	pack.Dir = t.TempDir()
	said, err := pack.CombinedOutput()
	need(t, "axe-core from npm", errors.Join(err, saidError(err, said)))
	text := fromArchive(t, filepath.Join(pack.Dir, "axe-core-"+axeVersion+".tgz"), "package/axe.min.js")
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return text
}

func saidError(err error, said []byte) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimSpace(string(said)))
}

// fromArchive returns a file of a compressed archive.
func fromArchive(t *testing.T, path, name string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unpacked); ; {
		header, err := archive.Next()
		if err != nil {
			t.Fatalf("%s has no %s: %v", path, name, err)
		}
		if header.Name == name {
			text, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
}
