package admin

import (
	"context"
	"net"
	"net/http"

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

// auditFields are what an audit line says of the caller and its command.
func auditFields(r *http.Request, command string) []zap.Field {
	fields := []zap.Field{zap.String("command", command)}
	if c, _ := r.Context().Value(callerKey{}).(caller); c.known {
		fields = append(fields, zap.Int("uid", c.uid), zap.Int("pid", c.pid))
	}
	return fields
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
