package ingress

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// initialBufferBytes is a body buffer's initial size: most callbacks are smaller. It grows with what arrives and not
	// with what Content-Length announces, so that an announcement alone costs nothing.
	initialBufferBytes = 4 << 10
	// maxPooledBytes bounds the size of pooled buffers.
	maxPooledBytes = 128 << 10
)

// buffers is a pool of body buffers.
type buffers struct{ pool sync.Pool }

type buffer struct{ bytes []byte }

func newBuffers(maxBody int64) *buffers {
	first := min(initialBufferBytes, int(maxBody)+1)
	return &buffers{pool: sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, first)} }}}
}

func (p *buffers) get() *buffer {
	b := p.pool.Get().(*buffer)
	b.bytes = b.bytes[:0]
	return b
}

func (p *buffers) put(b *buffer) {
	if cap(b.bytes) <= maxPooledBytes {
		p.pool.Put(b)
	}
}

// read reads the whole body into b: errTooLarge beyond limit bytes, errIncomplete when the rest does not arrive.
func (b *buffer) read(w http.ResponseWriter, r *http.Request, limit int64) *Refusal {
	if r.ContentLength > limit {
		return tooLarge(w, r)
	}
	for {
		if len(b.bytes) == cap(b.bytes) {
			b.bytes = slices.Grow(b.bytes, cap(b.bytes))
		}
		n, err := r.Body.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return tooLarge(w, r)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			w.Header().Set("Connection", "close")
			return errIncomplete
		}
	}
}

// tooLarge makes net/http close the connection after the response, as its MaxBytesReader does (which costs too much for
// every body). Closing the body would still read on for as long as the sender likes, so the read deadline is set to the
// past.
func tooLarge(w http.ResponseWriter, r *http.Request) *Refusal {
	var one [1]byte
	_, _ = http.MaxBytesReader(w, endlessReader{r.Body}, 0).Read(one[:]) // only for its effect on the connection
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	return errTooLarge
}

// endlessReader always has another byte.
type endlessReader struct{ io.Closer }

func (endlessReader) Read(p []byte) (int, error) { return len(p), nil }
