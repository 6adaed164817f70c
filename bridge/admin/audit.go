package admin

import (
	"context"
	"net"
	"net/http"
	"os"

	"go.uber.org/zap"

	"livebridge/bridge"
)

// callerKey is the key of the caller in a request's context.
type callerKey struct{}

// withCaller adds the process at the other end of a connection to the context of its requests.
func withCaller(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, callerKey{}, callerOf(conn))
}

// caller is the process that sent a command.
type caller struct {
	known    bool
	uid, pid int
}

// audited is an operator whose changes are logged, with who makes them.
type audited struct {
	Operator
	log *zap.Logger
	by  caller
}

// Audited returns an operator that logs every change with the entries, the command and the user of this process, as the
// service does for those that come through its socket. It is for a journal that no service has open.
func Audited(o Operator, log *zap.Logger) Operator {
	return audited{o, log, caller{known: true, uid: os.Getuid(), pid: os.Getpid()}}
}

// audited returns the operator with the caller of a request.
func (c *Control) audited(r *http.Request) audited {
	by, _ := r.Context().Value(callerKey{}).(caller)
	return audited{c.operator, c.log, by}
}

// Release logs what it releases. Of dead letters that is the command retry.
func (a audited) Release(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	outcomes, err := a.Operator.Release(s, numbers)
	message, command := "entries released by an operator", string(s)+" release"
	if s == bridge.DeadLetterQueue {
		message, command = "dead letters retried by an operator", string(s)+" retry"
	}
	a.line(message, command, outcomeFields(numbers, outcomes, err)...)
	return outcomes, err
}

// Purge logs what it deletes.
func (a audited) Purge(s bridge.ReviewQueue, numbers []uint64) ([]bridge.Outcome, error) {
	outcomes, err := a.Operator.Purge(s, numbers)
	a.line("entries purged by an operator", string(s)+" purge", outcomeFields(numbers, outcomes, err)...)
	return outcomes, err
}

// Replay logs what it replays. A page without events changes nothing and is not logged.
func (a audited) Replay(q bridge.ReplayQuery) (bridge.ReplayResult, error) {
	result, err := a.Operator.Replay(q)
	if result.Replayed == 0 && err == nil {
		return result, nil
	}
	if q.History != nil {
		a.line("events replayed by an operator", "journal replay", append(filterFields(q.History),
			zap.Int("events", result.Replayed), zap.Error(err))...)
		return result, err
	}
	a.line("events replayed by an operator", "journal replay", zap.String("kind", q.Kind), zap.String("lane", q.Lane),
		zap.Int("events", result.Replayed), zap.Error(err))
	return result, err
}

// filterFields say which events of the history a command has selected.
func filterFields(f *bridge.EventFilter) []zap.Field {
	fields := []zap.Field{zap.Bool("history", true), zap.String("kind", f.Kind), zap.String("lane", f.Lane)}
	if f.ID != "" {
		fields = append(fields, zap.String("id", f.ID))
	}
	for name, at := range map[string]bridge.Millis{"session": f.Session, "since": f.From, "until": f.Until} {
		if at != 0 {
			fields = append(fields, zap.Stringer(name, at))
		}
	}
	return fields
}

func (a audited) line(message, command string, more ...zap.Field) {
	fields := []zap.Field{zap.String("command", command)}
	if a.by.known {
		fields = append(fields, zap.Int("uid", a.by.uid), zap.Int("pid", a.by.pid))
	}
	a.log.Info(message, append(fields, more...)...)
}

// outcomeFields say which entries a command has processed and which it has not.
func outcomeFields(numbers []uint64, outcomes []bridge.Outcome, err error) []zap.Field {
	if err != nil {
		return []zap.Field{zap.Uint64s("requested", numbers), zap.Error(err)}
	}
	var done, missing []uint64
	for _, o := range outcomes {
		if o.Problem == "" {
			done = append(done, o.Number)
		} else {
			missing = append(missing, o.Number)
		}
	}
	return []zap.Field{zap.Uint64s("entries", done), zap.Uint64s("missing", missing)}
}
