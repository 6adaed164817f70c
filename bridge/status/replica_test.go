package status

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"livebridge/bridge"
)

// rowsOf returns the text of each row of the table of partitions, without tags.
func rowsOf(page string) (rows []string) {
	_, section, _ := strings.Cut(page, `data-part="partitions"`)
	section, _, _ = strings.Cut(section, "</section>")
	for _, row := range strings.Split(section, "<tr>")[1:] {
		text := regexp.MustCompile(`(<[^>]*>|\s)+`).ReplaceAllString(row, " ")
		rows = append(rows, strings.TrimSpace(text))
	}
	return rows
}

// TestPartitionsOnThePage: each partition shows whether it is owned here, its position, what waits, the last takeover
// with its reason and duration, the progress of a restore, and transactions.
func TestPartitionsOnThePage(t *testing.T) {
	e := newReplica(t)
	page := e.get(t, "/").Body.String()
	got := rowsOf(page)
	want := []string{
		"Partition This replica Position Behind Taken over Given up Transactions",
		"0 owned here , epoch 41 1204551 0 2 h 00 min ago, start took 1.3 s, 104,122 rows restored; 1 in all never 71,002",
		"1 owned here , epoch 44 1188002 1,412, 3 s 9 min ago, after fence took 420 ms, 12 rows restored; 2 in all " +
			"9 min ago, timed out 41,822 3 aborted",
		"2 restoring, 42 % – – 41,000 rows restored never 0",
		"3 failed, taken anew 922114 – 1 h 00 min ago, assigned took 900 ms, 0 rows restored; 1 in all 1 s ago, error " +
			"9,100 1 aborted",
		"4 fenced out 912004 – 1 h 00 min ago, assigned took 900 ms, 0 rows restored; 1 in all 1 s ago, fenced 0",
		"5 not owned here – – never never 0",
	}
	if len(got) > 0 {
		got[0] = strings.TrimSpace(strings.TrimSuffix(got[0], "</thead>"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, text := range []string{"2 of 6 owned here", "Callbacks that wait for the broker</dt><dd>3<", "In the queue"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

// TestReplicaHealth: partitions that fail or are late, and a queue, are reasons to look; without an outbox none speaks
// of it.
func TestReplicaHealth(t *testing.T) {
	e := newReplica(t)
	e.journal.stats.Partitions[1].BehindSeconds = 31
	e.connected.Store(false)
	h := e.gather.current().Health
	var texts []string
	for _, r := range h.Reasons {
		texts = append(texts, r.Text)
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"3 callbacks were answered 200 and wait", "taken anew: 3;", "more than 30 s behind: 1.",
		"Nothing is published"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among the reasons", want)
		}
	}
	if strings.Contains(all, "outbox") || h.Level != LevelDegraded {
		t.Errorf("%s: %s", h.Level, all)
	}
}

// TestReplicaThatRefuses: with INTAKE_FALLBACK=refuse there is no queue, and before the broker is found no partition.
func TestReplicaThatRefuses(t *testing.T) {
	e := newReplica(t)
	e.journal.stats.Intake, e.journal.stats.Partitions = nil, []bridge.PartitionStats{}
	page := e.get(t, "/").Body.String()
	for _, text := range []string{"The broker was not found yet.", "callbacks are answered 503"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	var s State
	if err := json.Unmarshal(e.get(t, "/api/v1/status").Body.Bytes(), &s); err != nil || s.Replica == nil ||
		s.Replica.Queue != nil || s.Replica.Partitions == nil {
		t.Errorf("the JSON has %+v, %v", s.Replica, err)
	}
}
