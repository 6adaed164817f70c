package status

import (
	"bytes"
	"net/http"
	"time"
)

// writeTimeout is how long one update may take to be sent. A page that does not take it loses its connection.
const writeTimeout = 10 * time.Second

// watch sends the page's changing parts as server-sent events, until the client or the server goes.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages update themselves; reload this one to see more", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	ticker := time.NewTicker(s.cfg.Refresh)
	defer ticker.Stop()
	for {
		_ = out.SetWriteDeadline(time.Now().Add(writeTimeout)) // in place of the server's, which is for the whole response
		if _, err := w.Write(eventOf(s.gather.page(s.renderParts))); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
	}
}

// eventOf frames a text as one server-sent event.
func eventOf(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}
