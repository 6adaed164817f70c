package provider

import (
	"context"
	"time"

	"livebridge/bridge"
)

// Config is how to reach the provider's API. Credentials are the SDK's: its environment variables, its profile file, or
// the agency of the machine or pod.
type Config struct {
	// Region is the provider's region, such as cn-north-4. It may be empty with an Endpoint.
	Region string
	// Project is the id of the region's project; empty: that of the credentials, or the only one that they can see.
	Project string
	// Endpoint is a URL that replaces the region's, for both services.
	Endpoint string
	// Timeout limits one request; 0: DefaultTimeout.
	Timeout time.Duration
}

// DefaultTimeout limits one request without Config.Timeout.
const DefaultTimeout = 15 * time.Second

// Query selects callbacks.
type Query struct {
	// Kind is the kind to list; required.
	Kind bridge.Kind
	// Domain is the ingest domain: required for stream status and snapshots; recordings without it are those of all.
	Domain string
	// App is the app's name: recordings and snapshots, empty for all. SparkRTC: the app's id, required.
	App string
}

// Registry is the callbacks that are registered at the provider. Client implements it. Failures are *Error.
type Registry interface {
	// List returns the registered callbacks in the order of their places.
	List(context.Context, Query) ([]Callback, error)
	// Create registers a callback and returns it as registered, with its ID. Stream status and SparkRTC have one callback
	// for a place, which is replaced.
	Create(context.Context, Callback) (Callback, error)
	// Update replaces what is registered: a recording callback by its ID, the others by their place. An empty Key removes
	// the key, where the provider lets a key be removed.
	Update(context.Context, Callback) (Callback, error)
	// Delete removes a callback: a recording callback by its ID, the others by their place. Without its callback a
	// snapshot's pictures are still taken. SparkRTC has no such call.
	Delete(context.Context, Callback) error
}

// Stream is a stream that is being pushed now.
type Stream struct {
	Domain, App, Name string
	// Started is when the push began, by the provider's clock.
	Started time.Time
}
