//go:build browser

package status

import (
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// screenshots has the test write the pictures that the handbook shows.
var screenshots = flag.Bool("screenshots", false, "write the screenshots in deployments/screenshots")

// accessible fails with every rule of axe-core that the page breaks.
func (b *browser) accessible(t *testing.T, script string) {
	t.Helper()
	b.do(t, chromedp.Evaluate[chromedp.Void](script))
	found := evaluate[struct {
		Broken []string
		Passed int
	}](t, b, `axe.run().then(r => ({passed: r.passes.length, broken: r.violations.map(v =>
		v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join("; "))}))`)
	for _, broken := range found.Broken {
		t.Errorf("axe: %s", broken)
	}
	if found.Passed < 10 {
		t.Errorf("axe has looked at %d rules only", found.Passed)
	}
}

// TestPageInBrowser looks at the page on a phone and on a screen, by day and by night: axe finds nothing, nothing is
// wider than the window, nothing is blocked or fails, and nothing is asked for elsewhere.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	b, script := newBrowser(t), axe(t)
	at, replica := httptest.NewServer(newExample(t, nil)), httptest.NewServer(newReplica(t))
	defer at.CloseClientConnections()
	defer replica.CloseClientConnections()
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(fmt.Sprint(width, scheme), func(t *testing.T) {
				b.look(t, width, scheme)
				for name, url := range map[string]string{"status": at.URL, "replica": replica.URL + "/#h-partitions",
					"lane": at.URL + "/lane?name=stream:push.example.com/live/studio"} {
					b.do(t, chromedp.Navigate(url), chromedp.WaitVisible("footer"))
					if name != "lane" {
						b.do(t, chromedp.WaitVisible(`#live[data-live="on"]`))
					}
					b.accessible(t, script)
					if wide := evaluate[int](t, b, "document.documentElement.scrollWidth"); wide > int(width) {
						t.Errorf("%s is %d pixels wide", name, wide)
					}
					if name == "status" || scheme == "light" && (width == 390) == (name == "lane") {
						b.keep(t, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
					}
				}
			})
		}
	}
	for _, problem := range b.problems {
		t.Error(problem)
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, at.URL) && !strings.HasPrefix(url, replica.URL) {
			t.Errorf("it asks for %s", url)
		}
	}
}

// keep writes a screenshot of the window, if they are wanted.
func (b *browser) keep(t *testing.T, name string) {
	t.Helper()
	if !*screenshots {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "deployments", "screenshots")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), picture, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestPageUpdatesItself: what changes is shown without loading the page again, said to those who do not see it, and
// what is open stays open.
func TestPageUpdatesItself(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	e := newExample(t, nil)
	at := httptest.NewServer(e)
	defer at.CloseClientConnections()
	b.do(t, chromedp.Navigate(at.URL), chromedp.WaitVisible(`#live[data-live="on"]`),
		chromedp.Click("summary"), chromedp.WaitVisible("details[open] td"),
		chromedp.Evaluate[chromedp.Void](`window.sameDocument = true`), chromedp.Focus("[data-part=sessions] a"))
	e.connected.Store(false)
	e.later(freshFor)
	b.do(t, chromedp.WaitVisible(`.health.degraded`))
	e.fail("journal is full")
	e.later(freshFor)
	b.do(t, chromedp.WaitVisible(`.health.down`))
	text := evaluate[string](t, b, `document.querySelector(".health").innerText`)
	if !strings.Contains(text, "journal is full") {
		t.Errorf("it says %q", text)
	}
	for what, expression := range map[string]string{
		"the same document":       `window.sameDocument === true`,
		"the details are open":    `document.querySelector("details").open`,
		"the change was said":     `document.getElementById("announce").textContent === "Callbacks are not accepted"`,
		"the focus has stayed":    `document.activeElement.matches("[data-part=sessions] a")`,
		"nothing else is its own": `document.querySelectorAll("script:not([src]), style, [style]").length === 0`,
	} {
		if !evaluate[bool](t, b, expression) {
			t.Errorf("not so: %s", what)
		}
	}
	b.do(t, chromedp.Click("[data-part=sessions] a"), chromedp.WaitVisible("h1.lane"))
	title := evaluate[string](t, b, `document.querySelector("h1").textContent`)
	if title != "stream:push.example.com/live/arena-1" {
		t.Errorf("the lane is %q", title)
	}
}
