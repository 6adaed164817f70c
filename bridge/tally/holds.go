package tally

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livebridge/bridge"
)

// holdMetrics are those of events on hold.
type holdMetrics struct {
	oldest   atomic.Int64             // when the oldest hold began, in Unix milliseconds; 0: nothing is held
	age      prometheus.GaugeFunc     // of it
	duration *prometheus.HistogramVec // by the end of the hold
}

// The ends of a hold.
const (
	holdOrdered = "ordered"
	holdGivenUp = "given_up"
)

func newHoldMetrics() *holdMetrics {
	m := &holdMetrics{duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "hold_duration_seconds",
		Help: "Time that events were on hold, by its end: ordered when what they waited for came in time, " +
			"given_up when it did not.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2, 14),
	}, []string{"end"})}
	m.age = prometheus.NewGaugeFunc(
		gaugeOpts("held_oldest_age_seconds", "Age of the hold that has lasted the longest; 0: nothing is held."),
		func() float64 {
			if oldest := m.oldest.Load(); oldest != 0 {
				return seconds(bridge.MillisOf(time.Now()) - bridge.Millis(oldest))
			}
			return 0
		})
	for _, end := range []string{holdOrdered, holdGivenUp} {
		m.duration.WithLabelValues(end)
	}
	return m
}

// givenUp are the marks of an event that was let go before what it waited for has come.
const givenUp = bridge.MarkForced | bridge.MarkStartUnseen | bridge.MarkPrevUnended

// released counts a hold that has ended.
func (m *holdMetrics) released(e *bridge.Event, held bridge.Millis) {
	end := holdOrdered
	if e.Marks&givenUp != 0 {
		end = holdGivenUp
	}
	m.duration.WithLabelValues(end).Observe(seconds(held))
}

// seconds returns a time of the wall clock, which may have been set back.
func seconds(d bridge.Millis) float64 { return max(float64(d)/1000, 0) }
