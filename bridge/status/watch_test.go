package status

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// watcher is a page that updates itself.
type watcher struct {
	*http.Response
	lines *bufio.Reader
}

func watch(ctx context.Context, t *testing.T, url string) *watcher {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/updates", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return &watcher{answer, bufio.NewReader(answer.Body)}
}

// next returns the next update.
func (w *watcher) next() (string, error) {
	var text strings.Builder
	for {
		line, err := w.lines.ReadString('\n')
		if err != nil || line == "\n" {
			return text.String(), err
		}
		text.WriteString(strings.TrimPrefix(line, "data: "))
	}
}

// limited returns a context that fails the test, rather than to let it wait for ever.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestUpdatesGoOn: they outlive the times that a request may take to be read and answered, and have every part that
// changes.
func TestUpdatesGoOn(t *testing.T) {
	at := httptest.NewUnstartedServer(newExample(t, nil))
	at.Config.ReadTimeout, at.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	at.Start()
	defer at.CloseClientConnections()
	w := watch(limited(t), t, at.URL)
	for i := range 10 {
		update, err := w.next()
		if err != nil || !strings.Contains(update, `data-part="health"`) || strings.Contains(update, "<html") {
			t.Fatalf("update %d: %v: %.200s", i, err, update)
		}
	}
}

// TestWatchersAreBounded: one too many is answered 503, and there is room again when one has gone.
func TestWatchersAreBounded(t *testing.T) {
	e := newExample(t, func(c *Config) { c.MaxWatchers = 2 })
	at := httptest.NewServer(e)
	defer at.CloseClientConnections()
	ctx, leave := context.WithCancel(limited(t))
	watch(ctx, t, at.URL)
	watch(limited(t), t, at.URL)
	w := watch(limited(t), t, at.URL)
	if w.StatusCode != http.StatusServiceUnavailable || w.Header.Get("Retry-After") == "" {
		t.Fatalf("the third gets %d", w.StatusCode)
	}
	leave()
	select {
	case e.watchers <- struct{}{}: // the place of the one that has left
	case <-limited(t).Done():
		t.Fatal("its place is not free")
	}
}

// TestCloseEndsUpdates: the server that they belong to can shut down.
func TestCloseEndsUpdates(t *testing.T) {
	e := newExample(t, nil)
	at := httptest.NewServer(e)
	defer at.Close()
	w := watch(limited(t), t, at.URL)
	if _, err := w.next(); err != nil {
		t.Fatal(err)
	}
	e.Close()
	e.Close() // as often as one likes
	if _, err := io.ReadAll(w.lines); err != nil {
		t.Error(err)
	}
}
