package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"livebridge/bridge"
)

// ErrNoService says that no service listens on the control socket.
var ErrNoService = errors.New("no service running")

// Client controls a running service through its control socket. It is an Operator.
type Client struct{ http http.Client }

// DialControl connects to the service whose DATA_DIR is dir. The error wraps ErrNoService when none runs there.
func DialControl(dir string) (*Client, error) {
	path := filepath.Join(dir, socket)
	probe, err := net.Dial("unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), isTooLong(err):
		return nil, fmt.Errorf("%w on %s", ErrNoService, path) // on a path that is too long none can listen
	case err != nil:
		return nil, fmt.Errorf("connect to the running service: %w (only the user that runs it may)", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{http.Client{Transport: &http.Transport{DialContext: dial}}}, probe.Close()
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// List implements bridge.ReviewQueues.
func (c *Client) List(s bridge.ReviewQueue, q bridge.Query) (entries []bridge.Entry, err error) {
	v := url.Values{"after": {strconv.FormatUint(q.After, 10)}, "limit": {strconv.Itoa(q.Limit)},
		"reason": {q.Reason}, "lane": {q.Lane}, "raw": {strconv.FormatBool(q.Raw)}}
	err = c.call(http.MethodGet, string(s)+"?"+v.Encode(), nil, &entries)
	return entries, err
}

// Release implements bridge.ReviewQueues.
func (c *Client) Release(s bridge.ReviewQueue, numbers []uint64) (outcomes []bridge.Outcome, err error) {
	err = c.call(http.MethodPost, string(s)+"/release", numbers, &outcomes)
	return outcomes, err
}

// Purge implements bridge.ReviewQueues.
func (c *Client) Purge(s bridge.ReviewQueue, numbers []uint64) (outcomes []bridge.Outcome, err error) {
	err = c.call(http.MethodPost, string(s)+"/purge", numbers, &outcomes)
	return outcomes, err
}

// Inspect implements bridge.JournalAdmin.
func (c *Client) Inspect() (i bridge.JournalStats, err error) {
	err = c.call(http.MethodGet, "journal", nil, &i)
	return i, err
}

// Replay implements bridge.JournalAdmin.
func (c *Client) Replay(q bridge.ReplayQuery) (r bridge.ReplayResult, err error) {
	err = c.call(http.MethodPost, "journal/replay", q, &r)
	return r, err
}

// Deliveries implements bridge.JournalAdmin.
func (c *Client) Deliveries(emissions []bridge.Emission) (deliveries []bridge.Delivery, err error) {
	err = c.call(http.MethodPost, "journal/deliveries", emissions, &deliveries)
	return deliveries, err
}

// History implements bridge.Historian.
func (c *Client) History(q bridge.HistoryQuery) (p bridge.HistoryPage, err error) {
	err = c.call(http.MethodPost, "journal/history", q, &p)
	return p, err
}

// Unpublished implements bridge.Historian.
func (c *Client) Unpublished(q bridge.HistoryQuery) (p bridge.HistoryPage, err error) {
	err = c.call(http.MethodPost, "journal/unpublished", q, &p)
	return p, err
}

// OpenSessions implements bridge.SessionLister.
func (c *Client) OpenSessions(ctx context.Context, domain string) (open []bridge.OpenSession, err error) {
	err = c.callContext(ctx, http.MethodGet, "sessions?"+url.Values{"domain": {domain}}.Encode(), nil, &open)
	return open, err
}

// call sends one command and decodes its response.
func (c *Client) call(method, path string, request, response any) error {
	return c.callContext(context.Background(), method, path, request, response)
}

func (c *Client) callContext(ctx context.Context, method, path string, request, response any) error {
	var body io.Reader
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://control/"+path, body)
	if err != nil {
		return err
	}
	httpResponse, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("no response from the running service: %w", err)
	}
	defer func() { _ = httpResponse.Body.Close() }()
	if httpResponse.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(httpResponse.Body, 4<<10))
		return errors.Join(errors.New(strings.TrimSpace(string(text))), err)
	}
	return json.NewDecoder(httpResponse.Body).Decode(response)
}
