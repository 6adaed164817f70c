package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"livebridge/bridge"
)

// publisher is a publisher whose credentials can be reloaded.
type publisher interface {
	bridge.Publisher
	Reload() error   // reads the files of credentials again
	Connected() bool // the broker responds, and the stream or topic of events is usable
}

// failureNotifier is a publisher that a local failure can end, such as one of the embedded server's disk. Errors of a
// broker are no such failure.
type failureNotifier interface {
	Failed() <-chan error
}

// failureOf returns the channel of a publisher's local failure; nil: it has none.
func failureOf(p bridge.Publisher) <-chan error {
	if f, can := p.(failureNotifier); can {
		return f.Failed()
	}
	return nil
}

// registerConnected registers the metric of the connection to the broker.
func registerConnected(r prometheus.Registerer, b brokerState) {
	promauto.With(r).NewGaugeFunc(prometheus.GaugeOpts{Name: "livebridge_broker_connected",
		Help: "1 while the broker responds and the stream or topic of events is usable, otherwise 0, whether or not there " +
			"are events; livebridge_broker_available tells whether publishing them succeeds."},
		func() float64 {
			if b.Connected() {
				return 1
			}
			return 0
		})
}
