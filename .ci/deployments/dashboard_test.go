package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// board is what the tests read of the dashboard.
type board struct {
	Panels []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Datasource               struct{ UID string }
		Targets                  []struct{ Expr, LegendFormat string }
		FieldConfig              struct{ Defaults struct{ Unit string } }
	}
	Templating struct{ List []struct{ Name string } }
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	text, err := dashboardJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPanelsAreComplete: every panel has an id, a title and a place of its own, says what it shows and in which unit,
// and takes its data from where the reader says.
func TestPanelsAreComplete(t *testing.T) {
	ids, titles, cells := make(map[int]bool), make(map[string]bool), make(map[[2]int]string)
	for _, p := range readBoard(t).Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" || titles[p.Type+p.Title] {
			t.Errorf("panel %d %q is there twice, or has no id or title", p.ID, p.Title)
		}
		ids[p.ID], titles[p.Type+p.Title] = true, true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := cells[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("%q lies on %q, or outside", p.Title, other)
				}
				cells[cell] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" ||
			len(p.Targets) == 0 {
			t.Errorf("%q lacks a description, a unit, a data source or queries: %+v", p.Title, p)
		}
	}
	if len(ids) < 40 {
		t.Errorf("%d panels", len(ids))
	}
}

// TestQueriesFollowTheReader: every metric is restricted to the chosen job and instance, rates follow the width of the
// panel, and the lines of a panel have names.
func TestQueriesFollowTheReader(t *testing.T) {
	metric := regexp.MustCompile(`\b(livebridge|process|go)_\w+(\{[^}]*)?`)
	window := regexp.MustCompile(`\[([^]]+)\]`)
	for _, p := range readBoard(t).Panels {
		for _, q := range p.Targets {
			for _, m := range metric.FindAllStringSubmatch(q.Expr, -1) {
				if !strings.Contains(m[2], selector) {
					t.Errorf("%q: %s does not follow the variables in %s", p.Title, m[0], q.Expr)
				}
			}
			for _, w := range window.FindAllStringSubmatch(q.Expr, -1) {
				if w[1] != "$__rate_interval" && p.Type != "stat" {
					t.Errorf("%q: the window of %s is fixed", p.Title, q.Expr)
				}
			}
			if (q.LegendFormat == "") != (p.Type == "stat") {
				t.Errorf("%q: the legend is %q", p.Title, q.LegendFormat)
			}
		}
	}
}
