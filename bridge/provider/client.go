package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"golang.org/x/time/rate"

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
	// IAMEndpoint is a URL that replaces the region's for the look-up of the project.
	IAMEndpoint string
	// Timeout limits one request; 0: DefaultTimeout.
	Timeout time.Duration
	// Limit is waited for before each request; nil: none is.
	Limit *rate.Limiter
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

// String returns the query for people, such as "record push.example.com".
func (q Query) String() string { return Place(q).String() }

// Registry is the callbacks that are registered at the provider. Client implements it. Failures are *Error.
type Registry interface {
	// List returns the registered callbacks in the order of their places. A snapshot configuration without a callback has
	// an empty URL.
	List(context.Context, Query) ([]Callback, error)
	// Create registers a callback and returns it as registered, with its ID if the provider tells it. Stream status and
	// SparkRTC have one callback for a place, which is replaced.
	Create(context.Context, Callback) (Callback, error)
	// Update replaces what is registered: a recording callback by its ID, the others by their place. An empty Key removes
	// the key, where the provider lets a key be removed.
	Update(context.Context, Callback) (Callback, error)
	// Delete removes a callback: a recording callback by its ID, the others by their place. Without its callback a
	// snapshot's pictures are still taken. SparkRTC has no such call.
	Delete(context.Context, Callback) error
}

// Client is the provider's API. Its requests run one at a time; all failures are *Error.
type Client struct {
	config      Config
	credentials auth.ICredential
	transport   http.RoundTripper

	mu sync.Mutex // the SDK renews temporary credentials in place, without a lock
}

// Open finds credentials and checks the configuration; it sends nothing, unless the credentials are those of an agency.
func Open(c Config) (*Client, error) {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Region == "" && c.Endpoint == "" {
		return nil, &Error{Op: "open the provider's API", Message: "no region is given",
			Advice: "name the region of the project, such as cn-north-4, or an endpoint"}
	}
	if err := checkEndpoint(c.Endpoint); err != nil {
		return nil, err
	}
	credentials, err := findCredentials(c)
	if err != nil {
		return nil, err
	}
	return &Client{config: c, credentials: credentials, transport: http.DefaultTransport.(*http.Transport).Clone()}, nil
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return &Error{Op: "open the provider's API", Message: fmt.Sprintf("endpoint %q is not a URL", endpoint),
		Advice: "use one such as https://live.cn-north-4.myhuaweicloud.com"}
}

// service is one kind's part of the API.
type service interface {
	list(context.Context, Query) ([]Callback, error)
	create(context.Context, Callback) (Callback, error)
	update(context.Context, Callback) (Callback, error)
	remove(context.Context, Callback) error
}

// service returns the part of the API that serves this kind.
func (c *Client) service(op string, k bridge.Kind) (service, error) {
	switch k {
	case bridge.KindStream:
		return streamService{c}, nil
	case bridge.KindRecord:
		return recordService{c}, nil
	case bridge.KindSnapshot:
		return snapshotService{c}, nil
	case bridge.KindRTCRecord:
		return rtcService{c}, nil
	}
	return nil, &Error{Op: op, Message: fmt.Sprintf("the provider has no callback of kind %q", k)}
}

// List implements Registry.
func (c *Client) List(ctx context.Context, q Query) ([]Callback, error) {
	s, err := c.service("list "+q.String(), q.Kind)
	if err != nil {
		return nil, err
	}
	q.App = foldApp(q.App)
	app := q.App
	if app == Wildcard { // it may be registered in its other form
		q.App = ""
	}
	all, err := s.list(ctx, q)
	if app == Wildcard {
		all = slices.DeleteFunc(all, func(c Callback) bool { return c.App != Wildcard })
	}
	slices.SortStableFunc(all, func(a, b Callback) int { return a.Compare(b.Place) })
	return all, err
}

// Create implements Registry.
func (c *Client) Create(ctx context.Context, wanted Callback) (Callback, error) {
	return c.write(ctx, "create ", wanted, service.create)
}

// Update implements Registry.
func (c *Client) Update(ctx context.Context, wanted Callback) (Callback, error) {
	return c.write(ctx, "update ", wanted, service.update)
}

func (c *Client) write(
	ctx context.Context, op string, wanted Callback, do func(service, context.Context, Callback) (Callback, error),
) (Callback, error) {
	op += wanted.Place.String()
	s, err := c.service(op, wanted.Kind)
	if err != nil {
		return Callback{}, err
	}
	wanted.App = foldApp(wanted.App)
	if err := wanted.Check(); err != nil {
		return Callback{}, &Error{Op: op, Message: err.Error(), cause: err}
	}
	return do(s, ctx, wanted)
}

// Delete implements Registry.
func (c *Client) Delete(ctx context.Context, registered Callback) error {
	s, err := c.service("delete "+registered.Place.String(), registered.Kind)
	if err != nil {
		return err
	}
	return s.remove(ctx, registered)
}

// foldApp returns the wildcard as this package writes it: the provider's pages have both.
func foldApp(app string) string {
	if app == "**" {
		return Wildcard
	}
	return app
}
