package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// socket is the name of the control socket in DATA_DIR.
const socket = "control.sock"

// creating is the directory in which it is created, as "s": a path of the same length, so that a socket that can be
// created can be connected to.
const creating = ".listening"

// maxCommandBytes bounds the body of a command. A page of emissions with the longest lane names, percent-encoded, fits.
const maxCommandBytes = 4 << 20

// Operator is what the control socket offers.
type Operator interface {
	bridge.ReviewQueues
	bridge.JournalAdmin
	bridge.Historian
	bridge.SessionLister
}

// Control answers operators' commands on a socket that only the user of the service can open.
//
//	GET  /quarantine?after=…&limit=…&reason=…&lane=…&raw=true    []bridge.Entry
//	POST /quarantine/release, /quarantine/purge                  []uint64 in, []bridge.Outcome out
//	GET  /deadletters, POST /deadletters/release and /purge      likewise
//	GET  /journal                                                bridge.JournalStats
//	POST /journal/replay                                         bridge.ReplayQuery in, bridge.ReplayResult out
//	POST /journal/deliveries                                     []bridge.Emission in, []bridge.Delivery out
//	POST /journal/history, /journal/unpublished                  bridge.HistoryQuery in, bridge.HistoryPage out
//	GET  /sessions?domain=…                                      []bridge.OpenSession
type Control struct {
	operator Operator
	log      *zap.Logger
	path     string
	listener net.Listener
	http     *http.Server
	limit    *limiter
}

// NewControl opens the control socket in dir and replaces one that a previous run left. The caller must own dir: it
// has the journal in it open.
func NewControl(dir string, operator Operator, log *zap.Logger) (*Control, error) {
	c := &Control{operator: operator, log: log, path: filepath.Join(dir, socket)}
	var err error
	if c.listener, err = listen(dir, c.path); isTooLong(err) {
		return nil, bridge.NewSettingError("DATA_DIR", fmt.Errorf("%s is too long for the path of a socket", c.path),
			"set a shorter one")
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.path, err)
	}
	mux := http.NewServeMux()
	for _, s := range []bridge.ReviewQueue{bridge.QuarantineQueue, bridge.DeadLetterQueue} {
		mux.HandleFunc("GET /"+string(s), func(w http.ResponseWriter, r *http.Request) { c.list(w, r, s) })
		mux.HandleFunc("POST /"+string(s)+"/release", func(w http.ResponseWriter, r *http.Request) {
			c.resolve(w, r, s, c.audited(r).Release)
		})
		mux.HandleFunc("POST /"+string(s)+"/purge", func(w http.ResponseWriter, r *http.Request) {
			c.resolve(w, r, s, c.audited(r).Purge)
		})
	}
	mux.HandleFunc("GET /journal", func(w http.ResponseWriter, _ *http.Request) { respond(w)(operator.Inspect()) })
	mux.HandleFunc("POST /journal/replay", c.replay)
	mux.HandleFunc("POST /journal/deliveries", c.deliveries)
	mux.HandleFunc("POST /journal/history", historyHandler(operator.History))
	mux.HandleFunc("POST /journal/unpublished", historyHandler(operator.Unpublished))
	mux.HandleFunc("GET /sessions", func(w http.ResponseWriter, r *http.Request) {
		respond(w)(operator.OpenSessions(r.Context(), r.FormValue("domain")))
	})
	c.limit = newLimiter(controlConnections, log, "control socket")
	c.http = newHTTP(mux, c.limit)
	c.http.ConnContext = withCaller
	return c, nil
}

// listen creates the socket in a private directory, restricts it to its user, and only then moves it to path.
func listen(dir, path string) (net.Listener, error) {
	private := filepath.Join(dir, creating)
	if err := errors.Join(os.RemoveAll(private), os.Mkdir(private, 0o700)); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(private) }()
	created := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: created, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(created, 0o600), os.Rename(created, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Serve serves the socket until Shutdown; then it returns nil.
func (c *Control) Serve() error {
	if err := c.http.Serve(c.limit.on(c.listener)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown waits until ctx ends for commands in progress, and removes the socket.
func (c *Control) Shutdown(ctx context.Context) error {
	err := c.http.Shutdown(ctx)
	return errors.Join(err, ignoreClosed(c.listener.Close()), os.Remove(c.path))
}

// isTooLong reports whether the path of a socket is too long. There is no other way to be invalid.
func isTooLong(err error) bool { return errors.Is(err, syscall.EINVAL) }

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (c *Control) list(w http.ResponseWriter, r *http.Request, s bridge.ReviewQueue) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		respondError(w, http.StatusBadRequest, err)
		return
	}
	respond(w)(c.operator.List(s, q))
}

// resolve applies a command to entries.
func (c *Control) resolve(w http.ResponseWriter, r *http.Request, s bridge.ReviewQueue,
	apply func(bridge.ReviewQueue, []uint64) ([]bridge.Outcome, error),
) {
	var numbers []uint64
	if !decodeBody(w, r, &numbers) {
		return
	}
	if len(numbers) > bridge.PageMax {
		respondError(w, http.StatusBadRequest,
			fmt.Errorf("too many numbers: %d, at most %d are allowed", len(numbers), bridge.PageMax))
		return
	}
	respond(w)(apply(s, numbers))
}

func (c *Control) replay(w http.ResponseWriter, r *http.Request) {
	var q bridge.ReplayQuery
	if !decodeBody(w, r, &q) {
		return
	}
	respond(w)(c.audited(r).Replay(q))
}

func (c *Control) deliveries(w http.ResponseWriter, r *http.Request) {
	var emissions []bridge.Emission
	if !decodeBody(w, r, &emissions) {
		return
	}
	if len(emissions) > bridge.PageMax {
		respondError(w, http.StatusBadRequest,
			fmt.Errorf("too many emissions: %d, at most %d are allowed", len(emissions), bridge.PageMax))
		return
	}
	respond(w)(c.operator.Deliveries(emissions))
}

// historyHandler answers queries of one kind.
func historyHandler(page func(bridge.HistoryQuery) (bridge.HistoryPage, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q bridge.HistoryQuery
		if decodeBody(w, r, &q) {
			respond(w)(page(q))
		}
	}
}

// decodeBody decodes a command's body, or responds 400.
func decodeBody(w http.ResponseWriter, r *http.Request, body any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommandBytes)).Decode(body)
	if err != nil {
		respondError(w, http.StatusBadRequest, err)
	}
	return err == nil
}

// respond returns a function that responds with a result of the Operator.
func respond(w http.ResponseWriter) func(value any, err error) {
	return func(value any, err error) {
		if err != nil {
			respondError(w, http.StatusInternalServerError, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // an event's data is identical to the published bytes
		_ = e.Encode(value)    // the client may have gone
	}
}

func respondError(w http.ResponseWriter, status int, err error) { write(w, status, err.Error()) }

// parseQuery parses the parameters that Client.List sends.
func parseQuery(v url.Values) (q bridge.Query, err error) {
	q = bridge.Query{Reason: v.Get("reason"), Lane: v.Get("lane"), Raw: v.Get("raw") == "true"}
	if text := v.Get("after"); text != "" {
		if q.After, err = strconv.ParseUint(text, 10, 64); err != nil {
			return q, fmt.Errorf("after: %w", err)
		}
	}
	if text := v.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil {
			return q, fmt.Errorf("limit: %w", err)
		}
	}
	return q, nil
}
