package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
	"livebridge/bridge/journal"
)

func newHistoryShow(e *environment) *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use: "show ID", Short: "Show what has become of one callback", Args: exactlyOne("ID"),
		Long: "Shows when a callback was received, what was decided, and where it is: published, waiting, held, in\n" +
			"quarantine or a dead letter. An event that was published several times, as a replay or around a crash, is\n" +
			"shown as often.\n" + historyNote,
		Example: "  livebridge journal show 6a09e667f3bcc908b2fb1366ea957d3e\n" +
			"  livebridge journal show 6a09e667f3bcc908b2fb1366ea957d3e -o json | jq .event.data",
		RunE: func(c *cobra.Command, args []string) error {
			id, err := parseID(args[0])
			if err != nil {
				return err
			}
			return e.withOperator(c, journal.ReadOnly, func(d admin.Operator) error {
				fates, err := fatesOf(d, id)
				if err != nil {
					return err
				}
				if len(fates) == 0 {
					return fmt.Errorf("nothing is known of %s: it was not received, or is not kept: %s", id,
						whyNonePublished(d))
				}
				return printFates(c.OutOrStdout(), fates, output)
			})
		},
	}
	addOutputFlag(c, &output, "text", "json")
	return c
}

// fatesOf returns everything that is known of an id, in the order in which it was emitted. It looks in the order in
// which events move, so that one that moves meanwhile is not missed.
func fatesOf(d admin.Operator, id string) ([]*bridge.Fate, error) {
	found := make(map[string]*bridge.Fate)      // by lane and sequence: one that has moved is found twice
	add := func(f *bridge.Fate) (bool, error) { //nolint:unparam // as those that call it ask for
		at := fmt.Sprint(f.Kind, f.Lane, f.Sequence, f.Number)
		if f.Published != "" { // each publication is shown
			delete(found, at)
			at += whereText(f) + f.Published
		}
		found[at] = f
		return true, nil
	}
	q := []bridge.HistoryQuery{{EventFilter: bridge.EventFilter{ID: id}, Content: true}}
	for _, look := range []func() error{
		func() error { return eachReviewed(d, bridge.QuarantineQueue, id, add) },
		func() error { return eachFate(d.Unpublished, q, add) },
		func() error { return eachReviewed(d, bridge.DeadLetterQueue, id, add) },
		func() error { return eachFate(d.History, q, add) },
	} {
		if err := look(); err != nil {
			return nil, err
		}
	}
	var all []*bridge.Fate
	for _, f := range found {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *bridge.Fate) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Published, b.Published),
			cmp.Compare(a.Number, b.Number))
	})
	return all, nil
}

// eachReviewed calls f for the entries of a review queue with an id.
func eachReviewed(d admin.Operator, queue bridge.ReviewQueue, id string, f func(*bridge.Fate) (bool, error)) error {
	state := bridge.StateDeadLetter
	if queue == bridge.QuarantineQueue {
		state = bridge.StateQuarantine
	}
	id, _, _ = strings.Cut(id, "-")
	return reviewCommand{name: queue}.eachEntry(d, filter{}, func(e *bridge.Entry) (bool, error) {
		if of, _, _ := strings.Cut(e.ID, "-"); of != id {
			return true, nil
		}
		return f(&bridge.Fate{State: state, ID: e.ID, Kind: e.Kind, Lane: e.Lane, Type: e.Type, Received: e.Received,
			Sequence: e.Sequence, Number: e.Number, Reason: e.Reason, Detail: e.Detail})
	})
}

// printFates prints each as a card on a terminal, else as JSON lines.
func printFates(w io.Writer, fates []*bridge.Fate, output outputFormat) error {
	for i, f := range fates {
		if !output.table(w) {
			if err := printFateLine(w, f); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := printFateCard(w, f); err != nil {
			return err
		}
	}
	return nil
}

// printFateCard prints one on a terminal, in words.
func printFateCard(w io.Writer, f *bridge.Fate) error {
	lane := f.Kind
	if f.Lane != "" {
		lane += ":" + f.Lane
	}
	for _, line := range [][2]string{
		{"id", f.ID}, {"lane", lane}, {"type", f.Type}, {"received", f.Received}, {"decided", decisionText(f)},
		{"now", stateText(f)}, {"event", string(f.Event)},
	} {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-10s %s\n", line[0], printable(line[1])); err != nil {
			return err
		}
	}
	return nil
}

// decisionText says what was decided on a callback.
func decisionText(f *bridge.Fate) string {
	switch {
	case f.State == bridge.StateHeld:
		return "held"
	case f.State == bridge.StateQuarantine:
		return "not trusted: " + f.Reason
	}
	text := fmt.Sprintf("emitted with sequence %d", f.Sequence)
	if len(f.Marks) > 0 {
		text += ", marked " + strings.Join(f.Marks, ", ")
	}
	return text
}

// stateText says where an event is.
func stateText(f *bridge.Fate) string {
	switch f.State {
	case bridge.StateHeld:
		return "waits for the event before it in its lane"
	case bridge.StateWaiting:
		return "waits in the outbox for the broker"
	case bridge.StateQuarantine:
		return fmt.Sprintf("in quarantine, number %d", f.Number)
	case bridge.StateDeadLetter:
		return strings.TrimSuffix(fmt.Sprintf("dead letter, number %d: %s: %s", f.Number, f.Reason, f.Detail), ": ")
	}
	text := "published"
	if f.Published != "" {
		text += " at " + f.Published
	}
	if where := whereText(f); where != "" {
		text += " to " + where
	}
	return text
}
