package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
)

// eventFilter is the flags that select events of the history.
type eventFilter struct{ lane, session, id, since, until string }

// addFlags adds the flags.
func (f *eventFilter) addFlags(c *cobra.Command) {
	addLaneFlag(c, &f.lane)
	c.Flags().StringVar(&f.session, "session", "",
		"only events of this session: its publish_timestamp in Unix milliseconds, as in the attribute session")
	c.Flags().StringVar(&f.id, "id", "", "only the event with this id")
	c.Flags().StringVar(&f.since, "since", "",
		"only events that were published at this `time` or later: RFC 3339, or how long ago, such as 2h")
	c.Flags().StringVar(&f.until, "until", "", "only events that were published before this `time`")
}

// ranged reports whether more than a lane is selected by.
func (f *eventFilter) ranged() bool { return f.session+f.id+f.since+f.until != "" }

// queries returns a query for each kind of lane that is selected.
func (f *eventFilter) queries(now time.Time) (all []bridge.HistoryQuery, err error) {
	q, err := f.query(now)
	if err != nil {
		return nil, err
	}
	lane, err := parseLane(f.lane)
	if err != nil {
		return nil, err
	}
	if lane.subject == "" {
		return []bridge.HistoryQuery{q}, nil
	}
	for _, kind := range lane.kinds() {
		q.Kind, q.Lane = kind, lane.subject
		all = append(all, q)
	}
	return all, nil
}

// query returns the query of everything but the lane.
func (f *eventFilter) query(now time.Time) (q bridge.HistoryQuery, err error) {
	if f.session != "" {
		n, err := strconv.ParseInt(f.session, 10, 64)
		if err != nil || n <= 0 {
			return q, &usageError{fmt.Errorf("--session %q: use a publish_timestamp in Unix milliseconds, such as 1700000000000",
				f.session)}
		}
		q.Session = bridge.Millis(n)
	}
	if q.ID, err = parseID(f.id); err != nil {
		return q, err
	}
	if q.From, err = parseMoment("--since", f.since, now); err != nil {
		return q, err
	}
	if q.Until, err = parseMoment("--until", f.until, now); err != nil {
		return q, err
	}
	if q.Until != 0 && q.Until <= q.From {
		return q, &usageError{fmt.Errorf("--until %s is not after --since %s", f.until, f.since)}
	}
	return q, nil
}

var eventID = regexp.MustCompile(`^[0-9a-f]{32}(-[a-z_]+)?$`)

// parseID checks the id of an event, or of a quarantine notice, which has the reason behind it.
func parseID(text string) (string, error) {
	if text != "" && !eventID.MatchString(text) {
		return "", &usageError{fmt.Errorf("%q is no id of an event; ids have 32 hex digits", text)}
	}
	return text, nil
}

// parseMoment parses an instant, or how long ago it was.
func parseMoment(flag, text string, now time.Time) (bridge.Millis, error) {
	if text == "" {
		return 0, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return bridge.MillisOf(now.Add(-ago)), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || bridge.MillisOf(at) <= 0 {
		return 0, &usageError{fmt.Errorf("%s %q: use a time such as 2026-01-31T18:00:00Z, or how long ago, such as 2h",
			flag, text)}
	}
	return bridge.MillisOf(at), nil
}

// eachFate calls f for every event that queries ask for, page after page, until f returns false.
func eachFate(page func(bridge.HistoryQuery) (bridge.HistoryPage, error), queries []bridge.HistoryQuery,
	f func(*bridge.Fate) (more bool, err error),
) error {
	for _, q := range queries {
		for {
			p, err := page(q)
			if err != nil {
				return err
			}
			for i := range p.Events {
				if more, err := f(&p.Events[i]); err != nil || !more {
					return err
				}
			}
			if q.Cursor = p.Cursor; q.Cursor == nil {
				break
			}
		}
	}
	return nil
}
