package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livebridge/bridge"
	"livebridge/bridge/admin"
)

// result is the outcome of one entry, or of one event that was published again.
type result struct {
	Number  uint64 `json:"number,omitempty"` // of the entry
	Problem string `json:"problem,omitempty"`
	*bridge.Emission
	*bridge.Delivery
}

// offlineState is the state of an emission while no service runs.
const offlineState bridge.DeliveryState = "next_start"

func newResult(o bridge.Outcome) *result {
	return &result{Number: o.Number, Problem: o.Problem, Emission: o.Emitted}
}

// text returns the result as printed on a terminal.
func (r *result) text() string {
	switch {
	case r.Problem != "":
		return r.Problem
	case r.Delivery == nil:
		return "done"
	case r.State == bridge.DeliveryDeadLetter:
		return fmt.Sprintf("dead letter again, number %d: %s", r.DeadLetter, r.Detail)
	case r.State == offlineState:
		return "waiting for the next start of the service"
	case r.State == bridge.DeliveryWaiting:
		return "still waiting in the outbox"
	}
	return string(r.State)
}

// problem returns an error if the result makes the command fail.
func (r *result) problem(queue string) error {
	if r.Problem != "" || r.Delivery != nil && r.State == bridge.DeliveryDeadLetter {
		return fmt.Errorf("%s %d: %s", queue, r.Number, r.text())
	}
	return nil
}

// summaryOf counts the states of emissions, as ": 3 published, 1 waiting".
func summaryOf(results []*result) string {
	count := make(map[bridge.DeliveryState]int)
	for _, r := range results {
		if r.Delivery != nil {
			count[r.State]++
		}
	}
	var parts []string
	for _, s := range []struct {
		state bridge.DeliveryState
		words string
	}{
		{bridge.DeliveryPublished, "published"}, {bridge.DeliveryDeadLetter, "dead letters again"},
		{bridge.DeliveryWaiting, "still waiting in the outbox"}, {offlineState, "waiting for the next start of the service"},
	} {
		if n := count[s.state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.words))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// waitFlag adds the flag that bounds awaitDeliveries.
func waitFlag(c *cobra.Command, wait *time.Duration) {
	c.Flags().DurationVar(wait, "wait", 10*time.Second,
		"how long to wait for the broker's acknowledgements; 0: do not wait")
}

// deliveryPollInterval is how often the service is queried for the state of emissions.
const deliveryPollInterval = 50 * time.Millisecond

// awaitDeliveries polls the state of the emissions among results until all are settled or the wait is over. Where no
// service runs, they are published after its next start.
func awaitDeliveries(ctx context.Context, d admin.Operator, results []*result, wait time.Duration) error {
	open := slices.DeleteFunc(slices.Clone(results), func(r *result) bool { return r.Emission == nil })
	if _, running := d.(*admin.Client); !running {
		for _, r := range open {
			r.Delivery = &bridge.Delivery{State: offlineState}
		}
		return nil
	}
	end := time.Now().Add(wait)
	for {
		if err := pollDeliveries(d, open); err != nil {
			return fmt.Errorf("change committed, but its delivery to the broker is unknown: %w", err)
		}
		open = slices.DeleteFunc(open, func(r *result) bool { return r.State != bridge.DeliveryWaiting })
		if len(open) == 0 || !time.Now().Before(end) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(deliveryPollInterval):
		}
	}
}

// pollDeliveries queries the state of emissions once, page by page.
func pollDeliveries(d admin.Operator, open []*result) error {
	for page := range slices.Chunk(open, bridge.PageMax) {
		var emissions []bridge.Emission
		for _, r := range page {
			emissions = append(emissions, *r.Emission)
		}
		deliveries, err := d.Deliveries(emissions)
		if err != nil {
			return err
		}
		if len(deliveries) != len(page) {
			return errors.New("the service returned a different number of events than requested")
		}
		for i, r := range page {
			r.Delivery = &deliveries[i]
		}
	}
	return nil
}
