package journal

import (
	"fmt"
	"testing"

	"livebridge/bridge"
)

// keptEvents is what a campaign knows of the history: the events that the broker has acknowledged or refused, by lane
// and sequence. nil: none is kept.
type keptEvents map[string]*settledEvent

// settledEvent is what has become of an event, in any of the runs.
type settledEvent struct {
	text            string
	published, dead bool
}

// settle notes that the broker has taken or refused an event.
func (k keptEvents) settle(e *bridge.Event, published bool) {
	if k == nil {
		return
	}
	at := fmt.Sprint(e.Lane.Subject(), " ", e.Sequence)
	if k[at] == nil {
		k[at] = &settledEvent{text: string(e.AppendStructured(nil))}
	}
	k[at].published, k[at].dead = k[at].published || published, k[at].dead || !published
}

// check wants exactly the published events in the history. One that was published, came out once more after a loss of
// power and was refused then may be there or not.
func (k keptEvents) check(t *testing.T, j *Journal) {
	t.Helper()
	found := make(map[string]string)
	for _, f := range historyOf(t, j, bridge.HistoryQuery{Content: true}) {
		found[fmt.Sprint(f.Lane, " ", f.Sequence)] = string(f.Event)
	}
	for at, text := range found {
		if of := k[at]; of == nil || !of.published || of.text != text {
			t.Errorf("%s is kept as %s and was not published as that: %+v", at, text, of)
		}
	}
	for at, of := range k {
		if _, kept := found[at]; of.published && !of.dead && !kept {
			t.Errorf("%s was published and is not kept", at)
		}
	}
	left, err := j.Unpublished(bridge.HistoryQuery{})
	if err != nil || len(left.Events) != 0 {
		t.Errorf("%+v waits, %v", left, err)
	}
}

// historyOf reads all pages of the history.
func historyOf(t testing.TB, j *Journal, q bridge.HistoryQuery) (all []bridge.Fate) {
	t.Helper()
	for {
		p, err := j.History(q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Events...)
		if q.Cursor = p.Cursor; q.Cursor == nil {
			return all
		}
	}
}
